"""Tables of the audit area: outbox, ledger, checkpoints, evidence, receipts, WORM references and reports."""

from django.db import models

from governance.audit.choices import ScrubState, WormKind
from governance.audit.guards.frozen import FrozenColumns
from governance.kernel import clock
from governance.kernel.ids import new_id


class OutboxEntry(models.Model):
    """An entry written in its business transaction and not ordered yet. Removed once it is in the ledger."""

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
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "index"], name="ledger_by_subject"),
            models.Index(fields=["actor_id", "index"], name="ledger_by_actor"),
        ]
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


class LogTile(models.Model):
    """A full tile of the log's tree: 256 hashes of one level (C2SP tlog-tiles). Append-only by trigger.

    Level 0 holds leaf hashes. A partial tile of a higher level is made of the roots of the full tiles below it.
    """

    id = models.BigAutoField(primary_key=True)
    level = models.PositiveSmallIntegerField()
    number = models.BigIntegerField(help_text="Position of the tile in its level, from 0.")
    hashes = models.BinaryField(help_text="256 hashes of 32 bytes, in order.")
    root = models.BinaryField(max_length=32, help_text="Tree hash of the tile: one hash of the level above.")

    class Meta:
        ordering = ["level", "number"]
        verbose_name = "log tile"
        constraints = [models.UniqueConstraint(fields=["level", "number"], name="log_tile_once")]

    def __str__(self) -> str:
        return f"Tile {self.level}/{self.number}"


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


class WormReference(FrozenColumns):
    """The location of an object in WORM storage. Frozen by trigger, except that its retention can be extended."""

    frozen = frozenset(
        {
            "kind",
            "subject_type",
            "subject_id",
            "evidence",
            "uri",
            "version_id",
            "sha256",
            "size",
            "mode",
            "stored_at",
        }
    )

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=WormKind.choices, default=WormKind.EVIDENCE)
    subject_type = models.CharField(max_length=64, default="job")
    subject_id = models.CharField(max_length=128, default="")
    evidence = models.OneToOneField(EvidenceRecord, on_delete=models.PROTECT, null=True, related_name="worm_reference")
    uri = models.CharField(max_length=500)
    version_id = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.BigIntegerField(help_text="Bytes.")
    mode = models.CharField(max_length=32)
    retain_until = models.DateTimeField()
    retention_class = models.SlugField(blank=True, help_text="The class that set the retention.")
    stored_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-stored_at"]
        verbose_name = "WORM reference"
        indexes = [models.Index(fields=["kind", "-stored_at"], name="worm_by_kind")]
        constraints = [models.UniqueConstraint(fields=["uri", "version_id"], name="worm_object_once")]

    def __str__(self) -> str:
        return self.uri


class RetentionClass(models.Model):
    """How long a kind of object is kept: for everybody, for one partner's contract, or for one region.

    A stored object's retention only ever gets longer; a shortened class only applies to objects stored later.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=16, choices=WormKind.choices)
    partner = models.SlugField(blank=True, help_text="Only for this partner's contract; empty means every partner.")
    region = models.CharField(max_length=2, blank=True, help_text="Only for this region; empty means every region.")
    days = models.PositiveIntegerField(null=True, blank=True, help_text="Empty means for ever.")
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["kind", "partner", "region"]
        verbose_name = "retention class"
        verbose_name_plural = "retention classes"
        constraints = [
            models.UniqueConstraint(fields=["kind", "partner", "region"], name="retention_once_per_scope"),
            models.CheckConstraint(condition=models.Q(days__isnull=True) | models.Q(days__gt=0), name="retention_days"),
        ]

    def __str__(self) -> str:
        return self.name


class LegalHold(FrozenColumns):
    """A legal hold: the object must stay, whatever its retention. One person sets it, two release it."""

    frozen = frozenset({"reference", "reason", "set_by", "set_at"})

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reference = models.ForeignKey(WormReference, on_delete=models.PROTECT, related_name="holds")
    active = models.BooleanField(default=True)
    reason = models.CharField(max_length=300)
    set_by = models.CharField(max_length=150)
    set_at = models.DateTimeField(default=clock.now)
    release_asked_by = models.CharField(max_length=150, blank=True)
    release_asked_at = models.DateTimeField(null=True, blank=True)
    release_reason = models.CharField(max_length=300, blank=True)
    released_by = models.CharField(max_length=150, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-set_at"]
        verbose_name = "legal hold"
        constraints = [
            models.UniqueConstraint(fields=["reference"], condition=models.Q(active=True), name="hold_one_active"),
            models.CheckConstraint(
                condition=models.Q(active=True, released_by="", released_at__isnull=True)
                | (
                    models.Q(active=False, released_at__isnull=False, release_asked_at__isnull=False)
                    & ~models.Q(released_by="")
                    & ~models.Q(release_asked_by="")
                    & ~models.Q(released_by=models.F("release_asked_by"))
                ),
                name="hold_released_by_two",
            ),
        ]

    def __str__(self) -> str:
        return f"Hold on {self.reference}"


class ScrubRun(models.Model):
    """One round of reading every WORM object back and hashing it again."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    state = models.CharField(max_length=12, choices=ScrubState.choices, default=ScrubState.RUNNING)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    bytes_read = models.BigIntegerField(default=0)
    cursor = models.UUIDField(null=True, help_text="The last reference that was looked at.")
    faults = models.JSONField(default=list, help_text="Subject, check, message and remedy of each fault.")
    cancel_asked = models.BooleanField(default=False)
    asked_by = models.CharField(max_length=150)
    started_at = models.DateTimeField(default=clock.now)
    heard_at = models.DateTimeField(default=clock.now, help_text="When it last moved on.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]
        verbose_name = "scrub"
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state=ScrubState.RUNNING), name="scrub_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"Scrub of {self.started_at:%Y-%m-%d %H:%M}"


class Checkpoint(models.Model):
    """A signed tree head (C2SP tlog-checkpoint), written to WORM before it was published. Append-only by trigger.

    Numbers go up by one for each origin: a number is a slot in WORM storage that is written once.
    """

    id = models.BigAutoField(primary_key=True)
    origin = models.CharField(max_length=200)
    number = models.BigIntegerField(help_text="From 1, without gaps.")
    size = models.BigIntegerField(help_text="Entries in the tree.")
    root_hash = models.BinaryField(max_length=32)
    note = models.TextField(help_text="The signed note without cosignatures, exactly the bytes in WORM.")
    key_id = models.CharField(max_length=64)
    reference = models.OneToOneField(WormReference, on_delete=models.PROTECT, related_name="checkpoint")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["origin", "number"], name="checkpoint_number_once"),
            models.CheckConstraint(condition=models.Q(number__gte=1, size__gte=0), name="checkpoint_in_range"),
        ]

    def __str__(self) -> str:
        return f"Checkpoint {self.number}: {self.size} entries"


class Cosignature(models.Model):
    """A witness confirmed that a checkpoint is consistent (C2SP tlog-cosignature). Append-only by trigger."""

    id = models.BigAutoField(primary_key=True)
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="cosignatures")
    witness = models.CharField(max_length=200, help_text="The name in the witness's key.")
    line = models.TextField(help_text="The signature line as it stands below the note.")
    witnessed_at = models.DateTimeField(help_text="The time that the witness signed.")
    received_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["witness", "id"], name="cosignature_by_witness")]
        constraints = [models.UniqueConstraint(fields=["checkpoint", "witness"], name="cosignature_once")]

    def __str__(self) -> str:
        return f"{self.witness} on {self.checkpoint}"


class LogAlarm(FrozenColumns):
    """Why the log stopped: the database does not match what was published. The finding is frozen by trigger."""

    frozen = frozenset({"code", "message", "details", "raised_at"})

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.SlugField()
    message = models.CharField(max_length=1000)
    details = models.JSONField(default=dict)
    raised_at = models.DateTimeField(default=clock.now)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=150, blank=True)
    resolution = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-raised_at"]
        verbose_name = "log alarm"
        constraints = [
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(resolved_at__isnull=True), name="log_alarm_once_until_resolved"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} at {self.raised_at:%Y-%m-%d %H:%M:%S}"


class Receipt(models.Model):
    """A signed statement of one ledger entry, made in the same transaction. Append-only by trigger.

    The entry holds the digest of the envelope, so that the place in the log dates the signature.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    entry_id = models.UUIDField(unique=True, help_text="The ledger entry that holds the envelope's digest.")
    kind = models.CharField(max_length=64, db_index=True)
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=128)
    predicate_type = models.CharField(max_length=200)
    envelope = models.TextField(help_text="The DSSE envelope.")
    envelope_sha256 = models.CharField(max_length=64)
    key_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="receipt_by_subject")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_type}:{self.subject_id}"


class CommitmentSalt(models.Model):
    """The salt of a commitment in the ledger. Once it is deleted, the commitment reveals nothing."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=128)
    name = models.SlugField(help_text="Which value of the subject is committed to.")
    salt = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "commitment salt"
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="salt_by_subject")]

    def __str__(self) -> str:
        return f"{self.name} of {self.subject_type}:{self.subject_id}"


class ReconciliationReport(models.Model):
    """One reconciliation of jobs, decisions, permits, evidence, WORM storage and ledger. Append-only by trigger."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ok = models.BooleanField()
    counts = models.JSONField(help_text="How much was checked, by kind of thing.")
    fault_count = models.PositiveIntegerField()
    faults = models.JSONField(help_text="The first 1,000: subject, check, message and remedy of each.")
    store_as_of = models.DateTimeField(
        null=True, help_text="What was put into WORM storage after this moment is not part of the result."
    )
    newer_objects = models.JSONField(
        default=list, help_text="The first 100 objects from after that moment that nothing refers to, as text."
    )
    asked_by = models.CharField(max_length=150)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-finished_at"]
        verbose_name = "reconciliation"

    def __str__(self) -> str:
        return f"Reconciliation of {self.finished_at:%Y-%m-%d %H:%M}"
