"""What the application's role may do, read off the guards and tried out."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.backends.utils import CursorWrapper

from governance.audit.errors import RoleRefused
from governance.audit.guards.frozen import FrozenColumns
from governance.audit.guards.privileges import POWERS, TableRights, grant_rights, rights, role_facts
from tests.factories.audit import record_entries

pytestmark = pytest.mark.django_db

ROLE = "assent_app"


def of(table: str) -> TableRights:
    (found,) = [each for each in rights() if each.table == table]
    return found


def refused(statement: str) -> str:
    """Run a statement as the application's role and return why PostgreSQL refused it."""
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT before")
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
        try:
            cursor.execute(statement)
        except DatabaseError as error:
            return str(error)
        finally:
            cursor.execute("ROLLBACK TO SAVEPOINT before")
    return ""


@pytest.fixture
def granted() -> list[TableRights]:
    record_entries(1)
    return grant_rights(ROLE)


# what follows from the guards


def test_every_table_with_a_guard_is_limited_and_no_other() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgfoid = 'assent_refuse_change'::regproc"
            " AND tgtype & 8 <> 0"
        )
        guarded = {row[0] for row in cursor.fetchall()}

    assert {each.table for each in rights() if not each.delete} == guarded | {"django_migrations"}
    assert len(guarded) > 25


@pytest.mark.parametrize(
    "table",
    [
        "audit_ledgerentry",
        "audit_treehead",
        "audit_logtile",
        "audit_checkpoint",
        "audit_cosignature",
        "audit_evidencerecord",
        "audit_receipt",
        "audit_reconciliationreport",
        "catalog_consentgrant",
        "decisions_decisionrecord",
        "decisions_replayflip",
        "jobs_jobevent",
        "jobs_jobinput",
        "jobs_joboutput",
        "jobs_outputcandidate",
        "moderation_moderationverdict",
        "opa_opadecisionlog",
        "opa_opastatus",
        "rulebook_draftevent",
        "rulebook_policyactivation",
        "rulebook_policyrevision",
        "rulebook_revisionanchor",
        "rulebook_ruleedit",
    ],
)
def test_history_is_append_only_for_everybody_and_by_right_for_the_application(table: str) -> None:
    assert of(table).append_only


@pytest.mark.parametrize("model", [each for each in apps.get_models() if issubclass(each, FrozenColumns)])
def test_models_leave_out_exactly_the_columns_that_are_frozen(model: type[FrozenColumns]) -> None:
    columns = {field.column for field in model._meta.concrete_fields}
    frozen = {model._meta.get_field(name).column for name in model.frozen}

    assert set(of(model._meta.db_table).columns or ()) - {"id"} == columns - frozen - {"id"}


def test_every_table_with_frozen_columns_has_such_a_model() -> None:
    models = {model._meta.db_table for model in apps.get_models() if issubclass(model, FrozenColumns)}

    assert {each.table for each in rights() if each.columns} == models


# the rights, tried out


def test_role_may_do_no_more_than_the_guards_leave(granted: list[TableRights]) -> None:
    for each in granted:
        allowed = {
            "SELECT": "",
            f"DELETE FROM {each.table}": "" if each.delete else "permission denied",
            f"TRUNCATE {each.table} CASCADE": "permission denied",
            f"ALTER TABLE {each.table} DISABLE TRIGGER USER": "must be owner",
            f"ALTER TABLE {each.table} ADD COLUMN extra int": "must be owner",
            f"CREATE TRIGGER mine BEFORE DELETE ON {each.table} EXECUTE FUNCTION suppress_redundant_updates_trigger()":
                "permission denied",
            f"DROP TABLE {each.table} CASCADE": "must be owner",
        }  # fmt: skip
        said = {statement: refused(statement) for statement in allowed}
        wrong = [text for text, reason in allowed.items() if bool(reason) and reason not in said[text]]
        assert wrong == [], each.table


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE audit_ledgerentry SET kind = 'a.b'", "permission denied for table audit_ledgerentry"),
        ("UPDATE audit_wormreference SET uri = ''", "permission denied for table audit_wormreference"),
        ("UPDATE audit_wormreference SET retain_until = now()", ""),
        ("UPDATE jobs_job SET request_digest = ''", "permission denied for table jobs_job"),
        ("UPDATE jobs_job SET state = 'queued'", ""),
        ("UPDATE decisions_permit SET redeemed_at = now()", ""),
        ("UPDATE decisions_permit SET expires_at = now()", "permission denied for table decisions_permit"),
        ("DELETE FROM audit_outboxentry", ""),
        ("UPDATE audit_outboxentry SET body = ''", "permission denied for table audit_outboxentry"),
        ("DELETE FROM audit_commitmentsalt", ""),
        ("SELECT id FROM jobs_job FOR UPDATE", ""),
        ("SELECT index FROM audit_ledgerentry FOR UPDATE", "permission denied"),
        ("INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now())", "permission denied"),
        ("CREATE TABLE mine (id int)", "permission denied for schema public"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "permission denied for schema public"),
        ("SET session_replication_role = replica", "permission denied to set parameter"),
        ("DROP FUNCTION assent_refuse_change() CASCADE", "must be owner"),
    ],
)
def test_what_the_role_is_refused(granted: list[TableRights], statement: str, reason: str) -> None:
    said = refused(statement)

    assert reason in said
    assert bool(said) == bool(reason)


def test_rights_are_set_anew_each_time(granted: list[TableRights]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT ALL ON audit_ledgerentry TO {ROLE}")
        cursor.execute(f"GRANT UPDATE (kind) ON audit_receipt TO {ROLE}")
    assert role_facts(ROLE).changes_history == ("audit_ledgerentry", "audit_receipt")

    assert grant_rights(ROLE) == granted

    assert role_facts(ROLE).limited
    assert "permission denied" in refused("UPDATE audit_receipt SET kind = ''")


def test_new_table_without_a_guard_can_be_written_and_with_one_only_added_to(granted: list[TableRights]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE plain (id int, kept int)")
        cursor.execute("CREATE TABLE history (id int)")
        cursor.execute(
            "CREATE TRIGGER h BEFORE UPDATE OR DELETE ON history FOR EACH ROW EXECUTE FUNCTION assent_refuse_change()"
        )
    assert "permission denied" in refused("SELECT * FROM plain")

    grant_rights(ROLE)

    assert refused("UPDATE plain SET kept = 1") == refused("DELETE FROM plain") == ""
    assert refused("INSERT INTO history VALUES (1)") == ""
    assert "permission denied" in refused("DELETE FROM history")


# roles that cannot be limited


@pytest.mark.parametrize(
    ("role", "reason"),
    [("postgres", "is a superuser"), ("assent", "is the owner of the tables"), ("nobody_here", "There is no database")],
)
def test_powerful_and_unknown_roles_are_refused(role: str, reason: str) -> None:
    with pytest.raises(RoleRefused, match=reason):
        grant_rights(role)


@pytest.fixture
def superuser() -> Iterator[CursorWrapper]:
    """Yield a cursor of the superuser, in a transaction that leaves nothing."""
    another = connection.copy()
    another.settings_dict["USER"] = "postgres"
    with another.cursor() as cursor:
        cursor.execute("BEGIN")
        yield cursor
        cursor.execute("ROLLBACK")
    another.close()


@pytest.mark.parametrize(
    ("powers", "superuser_and_owner"),
    [
        ([], (False, False)),
        (["GRANT postgres TO risky"], (True, False)),
        (["GRANT pg_execute_server_program TO risky"], (True, False)),
        (["CREATE ROLE between", "GRANT assent TO between", "GRANT between TO risky"], (False, True)),
        (["ALTER FUNCTION assent_refuse_change() OWNER TO risky"], (False, True)),
    ],
)
def test_a_role_that_could_become_powerful_counts_as_such(
    superuser: CursorWrapper, powers: list[str], superuser_and_owner: tuple[bool, bool]
) -> None:
    for statement in ("CREATE ROLE risky", *powers):
        superuser.execute(statement)

    superuser.execute(POWERS, {"role": "risky"})

    assert superuser.fetchone() == superuser_and_owner


def test_command_grants_and_checks(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("database", "grant", "--role", ROLE)
    assert "it may only add" in capsys.readouterr().out

    call_command("database", "check", "--role", ROLE)
    assert "owns nothing and can change no history" in capsys.readouterr().out


def test_command_migrates_and_grants(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("database", "prepare", "--role", ROLE)

    assert capsys.readouterr().out.startswith(f"{ROLE} may read ")


@pytest.mark.parametrize(
    ("arguments", "reason", "code"),
    [
        (["check"], "owns the tables, so it could remove each guard", 1),
        (["check", "--role", "postgres"], "is a superuser, so no guard applies to it", 1),
        (["check", "--role", "nobody_here"], "There is no database role", 2),
        (["grant", "--role", "postgres"], "cannot be limited", 2),
    ],
)
def test_command_says_what_is_wrong(arguments: list[str], reason: str, code: int) -> None:
    with pytest.raises(CommandError, match=reason) as caught:
        call_command("database", *arguments)
    assert caught.value.returncode == code


def test_check_names_tables_that_could_be_changed() -> None:
    grant_rights(ROLE)
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT TRUNCATE ON audit_treehead TO {ROLE}")

    with pytest.raises(CommandError, match="has a right to change audit_treehead"):
        call_command("database", "check", "--role", ROLE)
