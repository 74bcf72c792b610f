"""Settings of Event Hub, read from the environment (and ``.env``) by typed readers.

Every variable is described in ``.env.example``. With DEBUG off, unsafe values stop the start; see ``docs/setup.md``.
"""

import importlib.util
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url

from eventhub_config.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(BASE_DIR / ".env")

VERSION = "0.1.0"

# --- Safety -----------------------------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG")
SECRET_KEY = env.text("SECRET_KEY")
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")
# RFC 7518 section 3.2: an HS256 key has at least 256 bits.
SECRET_KEY_MIN_BYTES = 32
if not SECRET_KEY or "change-me" in SECRET_KEY or "insecure" in SECRET_KEY:
    env.problems.append("SECRET_KEY: set it to a secret of your own (`make env` writes one).")
elif len(SECRET_KEY.encode()) < SECRET_KEY_MIN_BYTES:
    env.problems.append(f"SECRET_KEY: make it {SECRET_KEY_MIN_BYTES} bytes or longer (`make env` writes one).")
if not DEBUG and "*" in ALLOWED_HOSTS:
    env.problems.append("ALLOWED_HOSTS: name your hosts; `*` lets anybody forge links in your mails.")
if not DEBUG and not ALLOWED_HOSTS:
    env.problems.append("ALLOWED_HOSTS: name the hosts that Event Hub answers for, separated by commas.")

# How many proxies of your own stand in front and append to X-Forwarded-For; 0 = the peer itself is the client.
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0)
SECURE_SSL = env.flag("SECURE_SSL")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_SSL_REDIRECT = SECURE_SSL
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked from inside the container, without TLS
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_SSL else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_SSL
SECURE_HSTS_PRELOAD = SECURE_SSL
SESSION_COOKIE_SECURE = SECURE_SSL
CSRF_COOKIE_SECURE = SECURE_SSL
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
DEFAULT_EXCEPTION_REPORTER_FILTER = "eventhub_config.shared.errors.ReportFilter"

# --- Apps and requests ------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "eventhub_config.shared",
    "users",
    "events",
    "bookings",
    "payments",
    "notifications",
    "eventhub_config",
]
if importlib.util.find_spec("django_migration_linter"):  # a development tool: not in the image
    INSTALLED_APPS.append("django_migration_linter")

MIDDLEWARE = [
    "eventhub_config.shared.requests.RequestContextMiddleware",
    "eventhub_config.shared.errors.refuse_unknown_hosts",
    "eventhub_config.shared.errors.refuse_nul",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
# A redirect would lose the body of a POST; an unslashed path is told about the slash instead (shared/errors.py).
APPEND_SLASH = False
ROOT_URLCONF = "eventhub_config.urls"
CSRF_FAILURE_VIEW = "eventhub_config.shared.errors.csrf_failure"
WSGI_APPLICATION = "eventhub_config.wsgi.application"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576  # bytes of a request body that is not a file
FILE_UPLOAD_HANDLERS = ["eventhub_config.shared.images.uploads.BoundedUploadHandler"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Data -------------------------------------------------------------------------------------------------------------
DATABASE_LOCK_TIMEOUT_MS = env.integer("DATABASE_LOCK_TIMEOUT_MS", 3000, at_least=1)
_database = dj_database_url.parse(
    env.text("DATABASE_URL", f"sqlite:///{BASE_DIR / '.data' / 'eventhub.sqlite3'}"),
    conn_max_age=env.integer("DATABASE_CONN_MAX_AGE", 600),
)
if _database["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE takes the write lock at BEGIN: a deferred transaction that writes later fails with "database is locked"
    # without waiting. WAL lets readers go on meanwhile.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    Path(_database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
else:
    # Set once per connection rather than once per transaction: one round trip less on every change of state.
    # The threshold is how alike two words must be for the search to look at them at all; two swapped letters of a short
    # word leave 0.25.
    _database.setdefault("OPTIONS", {})["options"] = (
        f"-c lock_timeout={DATABASE_LOCK_TIMEOUT_MS} -c timezone=UTC -c pg_trgm.similarity_threshold=0.2"
    )
    _database["OPTIONS"].setdefault("connect_timeout", 5)  # seconds: a silent database must not hang every process
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")
REDIS_PREFIX = env.text("REDIS_PREFIX", "eventhub")
REDIS_TIMEOUT_SECONDS = 0.2  # a frozen Redis must not hold a response up; see shared/redis.py
REDIS_PAUSE_SECONDS = 5.0

# --- Users ------------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "users.CustomUser"
LOGIN_REDIRECT_URL = "/admin/"
AUTHENTICATION_BACKENDS = ["users.backends.EmailOrUsernameBackend"]
PASSWORD_HASHERS = [
    "users.hashers.FrugalArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ORGANIZER_APPROVAL = env.flag("ORGANIZER_APPROVAL")
EMAIL_VERIFICATION = env.choice("EMAIL_VERIFICATION", "optional", ("optional", "required"))
# How long links in mails work, by their purpose.
LINK_LIFETIMES: dict[str, timedelta] = {
    "verify_email": timedelta(hours=env.integer("EMAIL_VERIFICATION_HOURS", 72, at_least=1, at_most=8760)),
    "reset_password": timedelta(minutes=env.integer("PASSWORD_RESET_MINUTES", 60, at_least=1, at_most=1440)),
    "change_email": timedelta(hours=env.integer("EMAIL_CHANGE_HOURS", 24, at_least=1, at_most=8760)),
    "invitation": timedelta(days=env.integer("INVITATION_DAYS", 30, at_least=1, at_most=365)),
}
SIMPLE_JWT: dict[str, Any] = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=env.integer("JWT_ACCESS_MINUTES", 15, at_least=1)),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=env.integer("JWT_REFRESH_DAYS", 14, at_least=1)),
    "SIGNING_KEY": SECRET_KEY,
    "ALGORITHM": "HS256",
    "UPDATE_LAST_LOGIN": False,
}
# Two tabs that refresh together are not theft: within this time the old token answers with the same successor.
JWT_REFRESH_GRACE = timedelta(seconds=10)

# --- API --------------------------------------------------------------------------------------------------------------
PAGE_SIZE = env.integer("PAGE_SIZE", 20, at_least=1)
PAGE_SIZE_MAX = env.integer("PAGE_SIZE_MAX", 100, at_least=1)
# How old the public event list may be, in seconds; an edit shows at once, seats left may lag by this. 0: never kept.
LIST_CACHE_SECONDS = env.integer("LIST_CACHE_SECONDS", 2)
# Requests per minute.
ANONYMOUS_RATE = env.integer("ANONYMOUS_RATE", 600, at_least=1)
ACCOUNT_RATE = env.integer("ACCOUNT_RATE", 1200, at_least=1)
DOCUMENT_RATE = env.integer("DOCUMENT_RATE", 60, at_least=1)  # by account
# Attempts per five minutes, successful ones not counted.
SIGN_IN_ACCOUNT_LIMIT = env.integer("SIGN_IN_ACCOUNT_LIMIT", 10, at_least=1)
SIGN_IN_ADDRESS_LIMIT = env.integer("SIGN_IN_ADDRESS_LIMIT", 50, at_least=1)

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["users.authentication.SessionTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["eventhub_config.shared.permissions.DenyByDefault"],
    "DEFAULT_THROTTLE_CLASSES": ["eventhub_config.shared.throttling.RequestThrottle"],
    "DEFAULT_PARSER_CLASSES": ["eventhub_config.shared.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["eventhub_config.shared.rendering.FastJSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "eventhub_config.shared.paging.PageOrCursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["eventhub_config.shared.filtering.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "eventhub_config.shared.schema.ContractSchema",
    "EXCEPTION_HANDLER": "eventhub_config.shared.errors.problem_response",
    "DEFAULT_VERSIONING_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "NUM_PROXIES": TRUSTED_PROXIES,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

CORS_ALLOWED_ORIGINS = env.items("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/api/.*$"
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "Content-Disposition",
    "ETag",
    "Location",
    "Retry-After",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "X-Request-ID",
    "Idempotency-Replayed",
]

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Event Hub API",
    "VERSION": VERSION,
    "DESCRIPTION": (
        "Events, bookings, payments and what follows from them. Errors are `application/problem+json` with a stable "
        "`code`; lists take `page` or `cursor`; what books, pays or refunds takes an `Idempotency-Key`. "
        "Guide: `docs/api.md` in the repository."
    ),
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": r"/api",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_NO_READ_ONLY_REQUIRED": False,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": True,  # spelled out in place by `finish_document`
    "ENUM_GENERATE_CHOICE_DESCRIPTION": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {
        "persistAuthorization": True,
        "displayOperationId": True,
        "validatorUrl": None,  # would show the document to another host
    },
    "GET_LIB_DOC_EXCLUDES": "eventhub_config.shared.schema.undocumented_classes",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "eventhub_config.shared.schema.finish_document",
    ],
    "ENUM_NAME_OVERRIDES": {
        # Named with their resource, so that another resource's `type` or `kind` renames none of them.
        "BookingStatusEnum": "bookings.models.Booking.Status",
        "DoorStateEnum": "bookings.services.door_list.DoorState",
        "EventCategoryEnum": "events.models.Event.Category",
        "EventFormatEnum": "events.models.Event.Format",
        "InvoiceKindEnum": "payments.models.Invoice.Kind",
        "NotificationTypeEnum": "notifications.models.Notification.Type",
        "PaymentMethodEnum": "payments.models.Payment.Method",
        "GatewayMethodEnum": "payments.serializers.payments.AT_A_GATEWAY",
        "TicketStatusEnum": "bookings.models.Ticket.Status",
        "WaitlistStatusEnum": "bookings.models.Waitlist.Status",
        "UserTypeEnum": "users.models.CustomUser.UserType",
        "RegistrationTypeEnum": "users.serializers.REGISTRATION_TYPES",
    },
}

# --- Work in the background -------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_DEFAULT_QUEUE = f"{REDIS_PREFIX}.work"
CELERY_TASK_TIME_LIMIT = 60
CELERY_TASK_SOFT_TIME_LIMIT = 45
CELERY_WORKER_POOL = "eventhub_config.worker_pool:TaskPool"
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False  # a printed mail stays a mail
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Longer than any task runs (time limit above); what a killed worker held comes back after it, or by a sweep before.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600, "global_keyprefix": f"{REDIS_PREFIX}:"}
CELERY_BEAT_SCHEDULER = "eventhub_config.scheduler:Scheduler"
CELERY_TIMEZONE = "UTC"
# One connection per task costs five times as much.
CELERY_DB_REUSE_MAX = 10_000

# --- Bookings and money -----------------------------------------------------------------------------------------------
HOLD_MINUTES = env.integer("HOLD_MINUTES", 15, at_least=1)
HOLD_EXTENSION_MINUTES = env.integer("HOLD_EXTENSION_MINUTES", 10)
MAX_SEATS_PER_BOOKING = env.integer("MAX_SEATS_PER_BOOKING", 20, at_least=1)
MAX_OPEN_HOLDS = env.integer("MAX_OPEN_HOLDS", 5, at_least=1)
# Whoever let so many holds run out within the time books nothing paid until the first of them is that long ago.
EXPIRED_HOLDS_ALLOWED = env.integer("EXPIRED_HOLDS_ALLOWED", 3, at_least=1)
EXPIRED_HOLDS_WINDOW_MINUTES = env.integer("EXPIRED_HOLDS_WINDOW_MINUTES", 60, at_least=1, at_most=10080)
GIFTS_PER_DAY = env.integer("GIFTS_PER_DAY", 2000, at_least=1)  # by account
WAITLIST_OFFER_MINUTES = env.integer("WAITLIST_OFFER_MINUTES", 24 * 60, at_least=1)
WAITLIST_SKIP_AFTER_MINUTES = env.integer("WAITLIST_SKIP_AFTER_MINUTES", 60)
PAYMENT_GATEWAY = env.choice("PAYMENT_GATEWAY", "mock", ("mock", "stripe"))
MOCK_GATEWAY_SUCCESS_RATE = env.fraction("MOCK_GATEWAY_SUCCESS_RATE", 0.95)
MOCK_GATEWAY_DELAY_MS = env.integer("MOCK_GATEWAY_DELAY_MS", 0)
MOCK_GATEWAY_TEST_TOKENS = env.flag("MOCK_GATEWAY_TEST_TOKENS", default=DEBUG)
MOCK_GATEWAY_LATE_SECONDS = env.integer("MOCK_GATEWAY_LATE_SECONDS", 120, at_most=86_400)
MOCK_GATEWAY_CALLBACK_URL = env.text("MOCK_GATEWAY_CALLBACK_URL")
if MOCK_GATEWAY_CALLBACK_URL and not re.fullmatch(r"https?://[^\s/?#][^\s#]*", MOCK_GATEWAY_CALLBACK_URL):
    env.problems.append("MOCK_GATEWAY_CALLBACK_URL: set it to the http:// address of /api/payments/callbacks/mock/.")
MOCK_GATEWAY_CALLBACK_SECRET = env.text("MOCK_GATEWAY_CALLBACK_SECRET")
# How old the signature of a callback may be. Source: 300 s is what Stripe's libraries use.
CALLBACK_TOLERANCE_SECONDS = env.integer("CALLBACK_TOLERANCE_SECONDS", 300, at_least=1, at_most=3600)
ALLOW_DEMO_DATA = env.flag("ALLOW_DEMO_DATA", default=DEBUG)
if not DEBUG and PAYMENT_GATEWAY == "mock" and not env.text("PAYMENT_GATEWAY"):
    env.problems.append("PAYMENT_GATEWAY: say `mock` if you mean it; the mock gateway takes no real money.")
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRET = env.text("STRIPE_WEBHOOK_SECRET")
STRIPE_PUBLISHABLE_KEY = env.text("STRIPE_PUBLISHABLE_KEY")
STRIPE_API_BASE = env.text("STRIPE_API_BASE", "https://api.stripe.com").rstrip("/")
# With another PAYMENT_GATEWAY they may stay: payments that began at Stripe end there.
for _name, _value, _form in (
    ("STRIPE_SECRET_KEY", STRIPE_SECRET_KEY, "[sr]k_(test|live)_.+"),
    ("STRIPE_WEBHOOK_SECRET", STRIPE_WEBHOOK_SECRET, "whsec_.+"),
):
    if (_value or PAYMENT_GATEWAY == "stripe") and not re.fullmatch(_form, _value):
        _begins = _form.removesuffix(".+")
        env.problems.append(f"{_name}: set it to what Stripe's dashboard shows; it begins with {_begins}.")
if STRIPE_PUBLISHABLE_KEY and not STRIPE_PUBLISHABLE_KEY.startswith("pk_"):
    env.problems.append("STRIPE_PUBLISHABLE_KEY: it is told to everybody and begins with pk_.")
if not re.fullmatch(r"https?://[^\s/?#]+", STRIPE_API_BASE):
    env.problems.append("STRIPE_API_BASE: leave it empty for Stripe itself; else it begins with https:// or http://.")
# The race tests' controls switch the guard off to show that they would notice. Never on a real system.
SEAT_GUARD = not env.flag("UNSAFE_NO_SEAT_GUARD")
if not SEAT_GUARD and not DEBUG:
    env.problems.append("UNSAFE_NO_SEAT_GUARD: remove it; it oversells on purpose, for the race tests.")

# --- Mail and links ---------------------------------------------------------------------------------------------------
FRONTEND_URL = env.text("FRONTEND_URL").rstrip("/")
# Where this API itself is reached, for links when there is no front end. Never taken from a request: whoever sends one
# chooses its Host. The default is the first host that is no other name of this machine.
_here = {"localhost", "127.0.0.1", "[::1]"}
_public_hosts = [host for host in ALLOWED_HOSTS if host not in _here and host[0] not in "*."]
_own_url = f"http{'s' if SECURE_SSL else ''}://{_public_hosts[0]}" if _public_hosts else "http://localhost:8000"
PUBLIC_URL = env.text("PUBLIC_URL", _own_url).rstrip("/")
for _name, _url in {"FRONTEND_URL": FRONTEND_URL, "PUBLIC_URL": PUBLIC_URL}.items():
    if _url and not re.fullmatch(r"https?://[^\s/?#][^\s?]*", _url):
        env.problems.append(f"{_name}: begin with https:// or http://, and go on with a host, without spaces or `?`.")
EMAIL_BACKEND = env.text("EMAIL_BACKEND", "eventhub_config.shared.console_mail.EmailBackend")
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.integer("EMAIL_PORT", 25, at_least=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Event Hub <events@localhost>")

# --- Files, language, logs --------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / ".data" / "static")))
# Where people's browsers find pictures: here, or where a content delivery network asks `/media/` of us.
MEDIA_URL = env.text("MEDIA_URL", "/media/").rstrip("/") + "/"
if MEDIA_URL != "/media/" and not re.fullmatch(r"https?://[^\s/?#][^\s?#]*", MEDIA_URL):
    env.problems.append("MEDIA_URL: leave it empty, or set it to the https:// address that stands for /media/.")
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(BASE_DIR / ".data" / "media")))
MEDIA_STORAGE = env.choice("MEDIA_STORAGE", "folder", ("folder", "s3"))
S3_BUCKET = env.text("S3_BUCKET")
S3_ENDPOINT_URL = env.text("S3_ENDPOINT_URL")
S3_REGION = env.text("S3_REGION")
S3_ACCESS_KEY = env.text("S3_ACCESS_KEY")
S3_SECRET_KEY = env.text("S3_SECRET_KEY")
S3_TIMEOUT_SECONDS = env.integer("S3_TIMEOUT_SECONDS", 5, at_least=1)
if MEDIA_STORAGE == "s3" and not S3_BUCKET:
    env.problems.append("S3_BUCKET: name the bucket that MEDIA_STORAGE=s3 is to use.")
if S3_ENDPOINT_URL and not re.match(r"https?://[^/]", S3_ENDPOINT_URL):
    env.problems.append("S3_ENDPOINT_URL: set it to an https:// address; leave it empty for Amazon's own.")
if bool(S3_ACCESS_KEY) != bool(S3_SECRET_KEY):
    env.problems.append("S3_ACCESS_KEY, S3_SECRET_KEY: set both, or neither where the machine itself has the right.")
_media: dict[str, Any] = {"BACKEND": "eventhub_config.shared.images.folder.MediaFolder"}
if MEDIA_STORAGE == "s3":
    _media = {
        "BACKEND": "eventhub_config.shared.images.bucket.MediaBucket",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": S3_ENDPOINT_URL or None,
            "region_name": S3_REGION or None,
            "access_key": S3_ACCESS_KEY or None,
            "secret_key": S3_SECRET_KEY or None,
            "timeout_seconds": S3_TIMEOUT_SECONDS,
        },
    }
# What is refused before it is decoded. Decoding takes up to 16 bytes for each pixel, in a process of its own.
IMAGE_MAX_BYTES = env.integer("IMAGE_MAX_BYTES", 5_242_880, at_least=1)
IMAGE_MAX_PIXELS = env.integer("IMAGE_MAX_PIXELS", 25_000_000, at_least=1, at_most=100_000_000)
IMAGE_UPLOADS_PER_HOUR = env.integer("IMAGE_UPLOADS_PER_HOUR", 60, at_least=1)  # by account
FONT_FOLDER = env.text("FONT_FOLDER")  # typefaces besides our own, for documents on paper
STORAGES = {
    "default": _media,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedStaticFilesStorage",
    },
}
WHITENOISE_USE_FINDERS = DEBUG
LANGUAGE_CODE = "en"
USE_I18N = True
FORMAT_MODULE_PATH = ["eventhub_config.formats"]
USE_TZ = True
TIME_ZONE = "UTC"

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_FILE = env.text("LOG_FILE")
_handlers: dict[str, dict[str, Any]] = {
    "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["context", "without_routine"]},
}
if LOG_FILE:
    _handlers["file"] = {
        "class": "logging.handlers.RotatingFileHandler",
        "filename": LOG_FILE,
        "maxBytes": 20_000_000,
        "backupCount": 5,
        "formatter": "line",
        "filters": ["context", "without_routine"],
    }
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "context": {"()": "eventhub_config.shared.requests.ContextFilter"},
        "without_routine": {"()": "eventhub_config.shared.logs.WithoutRoutine"},
    },
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"},
    },
    "handlers": _handlers,
    "root": {"handlers": list(_handlers), "level": LOG_LEVEL},
    "loggers": {
        # A line for each task and each entry of Beat would bury the rest.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "INFO" if LOG_LEVEL == "DEBUG" else "WARNING"},
        "django": {"handlers": []},  # with DEBUG, Django's own handler would say everything twice
        # Every refused request would be a line of its own here; the access log has them.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "stripe": {"level": "WARNING"},  # its lines would say what people paid with
    },
}

env.refuse_if_unsafe()
