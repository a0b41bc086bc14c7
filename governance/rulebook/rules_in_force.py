"""The rules of a revision, for callers that need them one by one."""

from functools import lru_cache

from governance.rulebook.content import RevisionRule
from governance.rulebook.models import PolicyRevision
from governance.rulebook.queries import load_program, revision_rules


@lru_cache(maxsize=8)
def rules_of_revision(digest: str) -> tuple[RevisionRule, ...]:
    """Return the rules of a stored revision, by id, read once in this process.

    Raises NoActiveRevision when there is no such revision, RevisionCorrupt when it is not what was signed.
    """
    load_program(digest)
    return revision_rules(PolicyRevision.objects.get(digest=digest))
