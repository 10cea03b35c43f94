"""The WSGI entry point: `granian --interface wsgi wsgi:app`. Nothing else happens here."""

from config import Settings
from domain.dispatch import InstallationRefused
from domain.observing import logs, traces
from webapp import create_app

settings = Settings.from_env()
logs.set_up("web", settings.log)
traces.set_up("web", settings.otel_endpoint)
app = create_app(settings)
try:
    # One that is away is looked at again before each request: /livez and /readyz answer meanwhile.
    app.extensions["kontor"].database.proved()
except InstallationRefused as refused:
    raise SystemExit(str(refused)) from None
