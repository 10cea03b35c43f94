"""One world for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import Servers
from tests.webapp.access.world import World, open_world


@pytest.fixture(scope="module")
def world(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("access")
    with open_world(servers, template_database, folder) as opened:
        yield opened
