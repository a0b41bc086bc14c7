"""Settings that hold everywhere. `dev`, `test` and `prod` add what differs."""

from pathlib import Path

from celery.schedules import crontab
from django.urls import reverse_lazy

from governance.config import environment as env
from governance.config.settings.console import FORMAT_MODULE_PATH, UNFOLD  # noqa: F401
from governance.config.settings.headers import CONTENT_SECURITY_POLICY  # noqa: F401
from governance.config.settings.signin import *  # noqa: F403
from governance.config.settings.sso import *  # noqa: F403
from governance.jobs.tasks import Queue, Task
from governance.kernel.vocabulary import ACTION_LABELS
from inference_workers.moderators import MODERATORS

BASE_DIR = Path(__file__).resolve().parents[3]
DATA_DIR = env.path("ASSENT_DATA_DIR", BASE_DIR / "var" / "run" / "data")
PRODUCT_VERSION = "0.3.0"

DEBUG = False
SECRET_KEY = env.text("ASSENT_SECRET_KEY")
ALLOWED_HOSTS = env.words("ASSENT_ALLOWED_HOSTS", "127.0.0.1,localhost")
CSRF_TRUSTED_ORIGINS = env.words("ASSENT_TRUSTED_ORIGINS")
ROOT_URLCONF = "governance.config.urls"
WSGI_APPLICATION = "governance.config.wsgi.application"

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "oauth2_provider",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "governance.audit",
    "governance.catalog",
    "governance.partners",
    "governance.registry",
    "governance.rulebook",
    "governance.decisions",
    "governance.jobs",
    "governance.opa",
    "governance.moderation",
    "governance.console",
    "governance.api",
    "governance.operations",
    "governance.demo",
    "governance.config",
]

MIDDLEWARE = [
    "governance.api.headers.SecurityHeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "governance.api.middleware.RequestIdMiddleware",
    "governance.api.framing.LengthMiddleware",
    "governance.api.framing.ValueMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "governance.console.signin.sessions.SessionLimitMiddleware",
    "governance.console.signin.enforcement.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "governance.console.signin.frame.frame",
            ],
        },
    },
]

DATABASES = {"default": env.database(env.text("DATABASE_URL", "postgresql:///assent"))}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
#: `application`: a connection as superuser or as owner of the tables is refused; use `owner` for migrations.
ASSENT_DATABASE_ROLE = env.choice("ASSENT_DATABASE_ROLE", "any", ("any", "application", "owner"))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.broker("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
    }
}

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "objects": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(DATA_DIR / "objects"), "base_url": None, "file_permissions_mode": 0o440},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
STATIC_URL = "static/"
STATIC_ROOT = env.path("ASSENT_STATIC_ROOT", BASE_DIR / "var" / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("account_login")

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True

OAUTH2_PROVIDER_APPLICATION_MODEL = "partners.ApiClient"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "partners.AccessToken"  # noqa: S105
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "oauth2_provider.RefreshToken"  # noqa: S105
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "oauth2_provider.IDToken"  # noqa: S105
OAUTH2_PROVIDER_GRANT_MODEL = "oauth2_provider.Grant"
SILENCED_SYSTEM_CHECKS = ["oauth2_provider.W011"]  # partners/migrations/0002 links the two apps
ASSENT_TOKEN_SECONDS = env.integer("ASSENT_TOKEN_SECONDS", 900, most=900)
ASSENT_TOKEN_REQUESTS_PER_MINUTE = env.integer("ASSENT_TOKEN_REQUESTS_PER_MINUTE", 120)
ASSENT_TOKEN_FAILURES_PER_MINUTE = env.integer("ASSENT_TOKEN_FAILURES_PER_MINUTE", 10)
OAUTH2_PROVIDER = {
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",
    "OAUTH2_BACKEND_CLASS": "governance.partners.oauth.PartnerOAuthCore",
    "OAUTH2_VALIDATOR_CLASS": "governance.partners.oauth.PartnerValidator",
    "ACCESS_TOKEN_GENERATOR": "governance.partners.oauth.generate_token",
    "ACCESS_TOKEN_EXPIRE_SECONDS": ASSENT_TOKEN_SECONDS,
    "CLIENT_SECRET_HASHER": "client_secret_pbkdf2_sha256",
    "SCOPES": {action.value: label for action, label in ACTION_LABELS.items()},
    "DEFAULT_SCOPES": [],
    "OAUTH_PRE_TOKEN_VALIDATION": [],
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
}
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "governance.partners.hashers.ClientSecretHasher",
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["governance.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["governance.api.permissions.HasPartnerToken"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["governance.api.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "governance.api.pagination.NewestFirst",
    "DEFAULT_FILTER_BACKENDS": ["governance.api.filters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "governance.api.schema.NeedSchema",
    "DEFAULT_THROTTLE_CLASSES": ["governance.api.throttling.TierThrottle"],
    "EXCEPTION_HANDLER": "governance.api.problems.handle",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "governance.api.negotiation.JsonAlways",
    "UNAUTHENTICATED_USER": None,
    "NUM_PROXIES": ASSENT_TRUSTED_PROXIES,  # noqa: F405
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Assent",
    "DESCRIPTION": (
        "Ask what policy allows, submit jobs, fetch results and their evidence. Every answer has an `X-Request-ID`; "
        "every error is a problem document (RFC 9457) with a stable `code`, except at the token endpoints, where "
        "errors follow RFC 6749 section 5.2."
    ),
    "VERSION": PRODUCT_VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True},
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "Action": "governance.kernel.vocabulary.ACTION_CHOICES",
        "TokenAction": "governance.kernel.vocabulary.TOKEN_ACTION_CHOICES",
        "Purpose": "governance.kernel.vocabulary.PURPOSE_CHOICES",
        "JobState": "governance.jobs.choices.JobState",
        "AssetStatus": "governance.catalog.choices.AssetStatus",
        "KindEnum": "governance.decisions.choices.DecisionKind",
        "LeftOutKind": "governance.catalog.choices.LeftOut",
        "FileMetadata": "governance.catalog.choices.FileMetadata",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "governance.api.schema.add_problems",
    ],
}

CELERY_BROKER_URL = REDIS_URL
QUEUES = tuple(queue.value for queue in Queue)
WORKER_TASKS = env.words("ASSENT_WORKER_TASKS", ",".join(QUEUES), among=QUEUES)
CELERY_IMPORTS = [f"inference_workers.tasks.{name}" for name in WORKER_TASKS]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = Queue.CONTROL.value
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "socket_connect_timeout": 2,
    "socket_timeout": 30,
    "max_retries": 1,
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]

ASSENT_KEY_PROVIDER = env.choice("ASSENT_KEY_PROVIDER", "file", ("file", "aws-kms"))
ASSENT_KMS_REGION = env.text("ASSENT_KMS_REGION", env.text("AWS_REGION"))
ASSENT_KMS_ENDPOINT = env.text("ASSENT_KMS_ENDPOINT")
ASSENT_KMS_PREFIX = env.text("ASSENT_KMS_PREFIX", "assent")
ASSENT_KMS_REFRESH_SECONDS = env.integer("ASSENT_KMS_REFRESH_SECONDS", 15, least=0, most=300)
ASSENT_KEY_STORE = env.path("ASSENT_KEY_STORE", DATA_DIR / "keys.json")
ASSENT_KEY_PASSPHRASE = env.text("ASSENT_KEY_PASSPHRASE")
ASSENT_ALLOW_DEVELOPMENT_KEYS = False
ASSENT_ALLOW_UNREVIEWED_POLICY = False
ASSENT_REPLAY_FRESH_HOURS = env.integer("ASSENT_REPLAY_FRESH_HOURS", 24)
ASSENT_WORM_DIR = env.path("ASSENT_WORM_DIR", DATA_DIR / "worm")
ASSENT_WORM_STORE = env.choice("ASSENT_WORM_STORE", "filesystem", ("filesystem", "s3"))
ASSENT_WORM_S3_BUCKET = env.text("ASSENT_WORM_S3_BUCKET")
ASSENT_WORM_S3_PREFIX = env.text("ASSENT_WORM_S3_PREFIX")
ASSENT_WORM_S3_REGION = env.text("ASSENT_WORM_S3_REGION", "us-east-1")
ASSENT_WORM_S3_ENDPOINT = env.text("ASSENT_WORM_S3_ENDPOINT")
ASSENT_WORM_S3_CA = env.text("ASSENT_WORM_S3_CA")
ASSENT_WORM_S3_MODE = env.choice("ASSENT_WORM_S3_MODE", "compliance", ("compliance", "governance"))
ASSENT_SCRUB_BYTES_PER_SECOND = env.integer("ASSENT_SCRUB_BYTES_PER_SECOND", 8 * 1024 * 1024)
ASSENT_EVIDENCE_RETENTION_DAYS = env.integer("ASSENT_EVIDENCE_RETENTION_DAYS", 2557)
ASSENT_LOG_ORIGIN = env.log_origin("ASSENT_LOG_ORIGIN", "assent.local/log")
ASSENT_CHECKPOINT_SECONDS = env.integer("ASSENT_CHECKPOINT_SECONDS", 1, most=60)
ASSENT_LOG_PROMISE_SECONDS = env.integer("ASSENT_LOG_PROMISE_SECONDS", 60)
ASSENT_WITNESSES = env.witnesses("ASSENT_WITNESSES")
# A majority by default: two majorities share a witness, and an honest witness signs one history only.
ASSENT_WITNESS_QUORUM = env.integer(
    "ASSENT_WITNESS_QUORUM",
    len(ASSENT_WITNESSES) // 2 + 1 if ASSENT_WITNESSES else 0,
    least=0,
    most=len(ASSENT_WITNESSES),
)
ASSENT_WITNESS_TIMEOUT_MS = env.integer("ASSENT_WITNESS_TIMEOUT_MS", 2000, most=60_000)
ASSENT_POLICY_ENGINE = env.choice("ASSENT_POLICY_ENGINE", "rego", ("rego", "opa", "casbin"))
ASSENT_SHADOW_ENGINE = env.choice("ASSENT_SHADOW_ENGINE", "", ("", "rego", "opa", "casbin"))
ASSENT_DECISION_CACHE_ENTRIES = env.integer("ASSENT_DECISION_CACHE_ENTRIES", 4096, least=0)
ASSENT_ENGINE_TIMEOUT_MS = env.integer("ASSENT_ENGINE_TIMEOUT_MS", 2000, most=60_000)
# Processor time that hand-written Rego may take for one decision.
ASSENT_CUSTOM_REGO_BUDGET_MS = env.integer("ASSENT_CUSTOM_REGO_BUDGET_MS", 250, least=10, most=10_000)
OPA_URL = env.text("OPA_URL", "http://127.0.0.1:8181")
OPA_TOKEN = env.text("OPA_TOKEN")
ASSENT_OPA = env.text("ASSENT_OPA")
ASSENT_OPA_WAITERS = env.integer("ASSENT_OPA_WAITERS", 2)
ASSENT_OPA_WAIT_SECONDS = env.integer("ASSENT_OPA_WAIT_SECONDS", 30)
ASSENT_OPA_UPLOAD_BYTES = env.integer("ASSENT_OPA_UPLOAD_BYTES", 32 * 1024 * 1024)
ASSENT_OPA_BATCH_EVENTS = env.integer("ASSENT_OPA_BATCH_EVENTS", 50_000)
ASSENT_OPA_EVENT_BYTES = env.integer("ASSENT_OPA_EVENT_BYTES", 256 * 1024)
ASSENT_RBAC_REFRESH_MS = env.integer("ASSENT_RBAC_REFRESH_MS", 500, least=0, most=1000)
ASSENT_INTERNAL_PARTNERS = env.words("ASSENT_INTERNAL_PARTNERS")
ASSENT_MAX_UPLOAD_BYTES = env.integer("ASSENT_MAX_UPLOAD_BYTES", 50 * 1024 * 1024)
ASSENT_MAX_ARTIFACT_BYTES = env.integer("ASSENT_MAX_ARTIFACT_BYTES", 64 * 1024 * 1024)
ASSENT_MAX_PIXELS = env.integer("ASSENT_MAX_PIXELS", 20_000_000)
ASSENT_MAX_EDGE = env.integer("ASSENT_MAX_EDGE", 16_384)
ASSENT_MAX_ASPECT_RATIO = env.integer("ASSENT_MAX_ASPECT_RATIO", 20)
ASSENT_MAX_IMAGE_PARTS = env.integer("ASSENT_MAX_IMAGE_PARTS", 10_000)
ASSENT_MAX_JPEG_SCANS = env.integer("ASSENT_MAX_JPEG_SCANS", 64)
ASSENT_MAX_SCAN_PIXELS = env.integer("ASSENT_MAX_SCAN_PIXELS", 320_000_000)
ASSENT_MAX_PROFILE_BYTES = env.integer("ASSENT_MAX_PROFILE_BYTES", 4 * 1024 * 1024)
#: How many of a hundred uploads of partners wait for a person, so that a wait does not say that the bytes are known.
ASSENT_REVIEW_PERCENT = env.integer("ASSENT_REVIEW_PERCENT", 2, least=0, most=100)
ASSENT_LEASE_SECONDS = env.integer("ASSENT_LEASE_SECONDS", 30)
ASSENT_PERMIT_SECONDS = env.integer("ASSENT_PERMIT_SECONDS", 15, most=300)
ASSENT_JOB_DEADLINE_SECONDS = env.integer("ASSENT_JOB_DEADLINE_SECONDS", 3600)
ASSENT_JOB_MAX_ATTEMPTS = env.integer("ASSENT_JOB_MAX_ATTEMPTS", 3, most=20)
ASSENT_SWEEP_SECONDS = env.integer("ASSENT_SWEEP_SECONDS", 2)
ASSENT_REDISPATCH_SECONDS = env.integer("ASSENT_REDISPATCH_SECONDS", 15)
ASSENT_MAX_OUTPUT_PIXELS = env.integer("ASSENT_MAX_OUTPUT_PIXELS", 24_000_000)
ASSENT_MODERATION_VIEWS = env.integer("ASSENT_MODERATION_VIEWS", 600)
ASSENT_MODERATOR = env.choice("ASSENT_MODERATOR", MODERATORS.names[0], MODERATORS.names)
ASSENT_RUNTIME_DEVICE = env.choice("ASSENT_RUNTIME_DEVICE", "auto", ("auto", "cpu", "cuda"))

ASSENT_RECONCILE_HOUR = env.integer("ASSENT_RECONCILE_HOUR", 3, least=0, most=23)
STALE = {"expires": 60}  # seconds; rounds must not pile up while no worker runs
CELERY_BEAT_SCHEDULE = {
    "advance-log": {
        "task": Task.ADVANCE_LOG.value,
        "schedule": float(ASSENT_CHECKPOINT_SECONDS),
        "options": {"expires": 5 * ASSENT_CHECKPOINT_SECONDS},
    },
    "anchor-evidence": {"task": Task.ANCHOR_EVIDENCE.value, "schedule": 5.0, "options": STALE},
    "sweep-jobs": {"task": Task.SWEEP_JOBS.value, "schedule": float(ASSENT_SWEEP_SECONDS), "options": STALE},
    "resume-replays": {"task": Task.RESUME_REPLAYS.value, "schedule": 10.0, "options": STALE},
    "reconcile": {
        "task": Task.RECONCILE.value,
        "schedule": crontab(hour=ASSENT_RECONCILE_HOUR, minute=7),
        "options": {"expires": 3600},
    },
    "scrub": {
        "task": Task.START_SCRUB.value,
        "schedule": crontab(hour="0", minute="40"),
        "options": {"expires": 6 * 3600},
    },
    "resume-scrubs": {"task": Task.RESUME_SCRUBS.value, "schedule": 30.0, "options": STALE},
    "clear-tokens": {"task": Task.CLEAR_TOKENS.value, "schedule": 3600.0, "options": STALE},
}

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.choice("ASSENT_LOG_LEVEL", "INFO", LOG_LEVELS)},
    "loggers": {"oauthlib": {"level": "INFO"}},  # logs tokens at DEBUG
}
