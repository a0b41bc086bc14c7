"""Tables of the audit area: outbox, ledger, tree head, evidence and WORM references."""

from django.db import models

from governance.kernel import clock
from governance.kernel.ids import new_id


class OutboxEntry(models.Model):
    """An entry written in its business transaction and not yet ordered. Removed once it is in the ledger."""

    id = models.BigAutoField(primary_key=True)
    entry_id = models.UUIDField(unique=True, default=new_id)
    kind = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=128)
    actor_type = models.CharField(max_length=32)
    actor_id = models.CharField(max_length=128)
    occurred_at = models.DateTimeField(default=clock.now)
    body = models.BinaryField(help_text="Canonical JSON (RFC 8785); exactly the bytes of the later leaf.")

    class Meta:
        verbose_name = "waiting ledger entry"
        verbose_name_plural = "waiting ledger entries"

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_type}:{self.subject_id}"


class LedgerEntry(models.Model):
    """One leaf of the Merkle log (RFC 6962 section 2.1). Append-only by trigger."""

    index = models.BigIntegerField(primary_key=True, help_text="Position in the log, from 0, without gaps.")
    entry_id = models.UUIDField(unique=True)
    kind = models.CharField(max_length=64, db_index=True)
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=128)
    actor_type = models.CharField(max_length=32)
    actor_id = models.CharField(max_length=128)
    occurred_at = models.DateTimeField(db_index=True)
    sequenced_at = models.DateTimeField(default=clock.now)
    body = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        ordering = ["index"]
        verbose_name = "ledger entry"
        verbose_name_plural = "ledger entries"
        indexes = [models.Index(fields=["subject_type", "subject_id", "index"], name="ledger_by_subject")]
        constraints = [models.CheckConstraint(condition=models.Q(index__gte=0), name="ledger_index_not_negative")]

    def __str__(self) -> str:
        return f"#{self.index} {self.kind} {self.subject_type}:{self.subject_id}"


class TreeHead(models.Model):
    """The Merkle tree hash after `size` entries, with the compact range needed to go on. Append-only by trigger."""

    size = models.BigIntegerField(primary_key=True)
    root_hash = models.BinaryField(max_length=32)
    frontier = models.BinaryField(help_text="Hashes of the perfect subtrees, largest first, 32 bytes each.")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-size"]
        verbose_name = "tree head"

    def __str__(self) -> str:
        return f"{self.size} entries, root {bytes(self.root_hash).hex()[:16]}"


class EvidenceRecord(models.Model):
    """A signed statement (DSSE, in-toto) of how something ended. Append-only by trigger."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=128)
    outcome = models.CharField(max_length=32, db_index=True)
    predicate_type = models.CharField(max_length=200)
    envelope = models.TextField(help_text="The DSSE envelope, exactly the bytes that go to WORM.")
    envelope_sha256 = models.CharField(max_length=64)
    key_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "evidence record"
        constraints = [
            models.UniqueConstraint(fields=["subject_type", "subject_id"], name="evidence_once_per_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.subject_type}:{self.subject_id}"


class WormReference(models.Model):
    """Where an evidence record was written once and for ever. Append-only by trigger."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    evidence = models.OneToOneField(EvidenceRecord, on_delete=models.PROTECT, related_name="worm_reference")
    uri = models.CharField(max_length=500)
    version_id = models.CharField(max_length=128)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    mode = models.CharField(max_length=32)
    retain_until = models.DateTimeField()
    stored_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-stored_at"]
        verbose_name = "WORM reference"
        constraints = [models.UniqueConstraint(fields=["uri", "version_id"], name="worm_object_once")]

    def __str__(self) -> str:
        return self.uri
