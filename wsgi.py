"""The WSGI entry point: `granian --interface wsgi wsgi:app`. Nothing else happens here."""

from config import Settings
from webapp import create_app

app = create_app(Settings.from_env())
