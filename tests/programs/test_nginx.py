"""The nginx configuration of the operations guide, with a real nginx."""

import getpass
import grp
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.process import ROOT, free_port, serving
from tests.support.programs import needed
from tests.support.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.database("sqlite")

GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
NGINX_CONF = """
daemon off;
user {user} {group};
pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/unused;
    uwsgi_temp_path {folder}/unused;
    scgi_temp_path {folder}/unused;
    {server}
}}
"""
LOG = "/var/log/nginx/clinic.log"


def configured(folder: Path, *, front: int, service: int) -> str:
    """The guide's server block in a complete configuration with the test's ports and files."""
    [server] = re.findall(r"<<'NGINX'\n(.*?)^NGINX$", GUIDE, re.DOTALL | re.MULTILINE)
    for old, new in {
        "listen 443 ": f"listen 127.0.0.1:{front} ",
        "127.0.0.1:8000": f"127.0.0.1:{service}",
        "/etc/nginx/clinic.": f"{folder}/clinic.",
        LOG: f"{folder}/clinic.log",
    }.items():
        assert old in server
        server = server.replace(old, new)
    group = grp.getgrgid(os.getgid()).gr_name
    return NGINX_CONF.format(user=getpass.getuser(), group=group, folder=folder, server=server)


@contextmanager
def proxy_before(service: int, folder: Path) -> Iterator[str]:
    """Runs nginx with the guide's configuration in front of a service; yields its URL."""
    needed("nginx", "openssl", otherwise="the guide's proxy is not tried")
    [certificate] = re.findall(r"^openssl req .*$", GUIDE, re.MULTILINE)
    command = certificate.replace("/etc/nginx/", f"{folder}/").split()
    subprocess.run(command, check=True, capture_output=True)
    front = free_port()
    file = folder / "nginx.conf"
    file.write_text(configured(folder, front=front, service=service))
    process = subprocess.Popen(["nginx", "-c", str(file), "-e", str(folder / "start.log")])
    url = f"https://127.0.0.1:{front}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/v1/status", verify=False).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_for(answers)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def test_the_proxy_of_the_guide(folder: Path, tmp_path: Path) -> None:
    """The guide's proxy forwards the scheme, limits bodies and rates, and logs nothing typed."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    with (
        serving(folder, changes={"CLINIC_TRUSTED_PROXIES": "127.0.0.1"}) as service,
        proxy_before(service.port, tmp_path) as url,
        httpx.Client(base_url=url, verify=tls, timeout=PATIENCE) as client,
    ):
        assert client.get("/v1/status").headers["Strict-Transport-Security"] == "max-age=31536000"
        # Without these folders nginx fails to write a body or an answer to a temporary file.
        shutil.rmtree(tmp_path / "bodies")
        shutil.rmtree(tmp_path / "answers")
        path = "/v1/consultation-requests?canary=canary"
        statuses = {client.post(path, content=b"x" * size).status_code for size in (60_000, 70_000)}
        assert statuses == {400, 413}
        path = "/v1/staff/documents?canary=canary"
        sizes = (1_000_000, 1_100_000)
        assert [client.post(path, content=b"x" * size).status_code for size in sizes] == [400, 413]
        assert len(client.get("/docs/swagger-ui-bundle.js").content) > 1_000_000
        many = {client.get("/v1/status?canary=canary").status_code for _ in range(400)}
        assert many == {400, 429}
        service.process.kill()
        service.process.wait(timeout=PATIENCE)

        def is_reported() -> bool:
            return client.get("/v1/status?canary=canary").status_code == 502

        wait_for(is_reported)
    logs = list(tmp_path.glob("*.log"))
    assert tmp_path / "clinic.log" in logs
    for log in logs:
        assert "canary" not in log.read_text()
        assert "127.0.0.1" not in log.read_text()
