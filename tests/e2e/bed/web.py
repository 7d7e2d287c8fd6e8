"""nginx: document server, media origin, or both."""

import os
import signal

from bed.process import Failure, Process, wait_until

_CONFIGURATION = """
daemon off;
master_process off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 1024; }}
http {{
	log_format fields '$request_method $uri $status $args';
	access_log {directory}/access.log fields;
	client_body_temp_path {directory}/body;
	proxy_temp_path {directory}/proxy;
	fastcgi_temp_path {directory}/fastcgi;
	uwsgi_temp_path {directory}/uwsgi;
	scgi_temp_path {directory}/scgi;
	types {{ text/xml xml; audio/wav wav; audio/mpeg mp3; text/plain txt; text/html html; }}
	default_type application/octet-stream;
	server {{
		listen {address}:{port};
		root {directory}/www;
		# Documents are asked for by POST; a file answers it as it answers a GET.
		error_page 405 =200 $uri;
		location /missing/ {{ return 404; }}
		location /broken/ {{ return 500; }}
	}}
}}
"""


class Web:
    def __init__(self, host, directory, port=80):
        self._directory = os.path.join(directory, "web")
        self.root = os.path.join(self._directory, "www")
        self.url = f"http://{host.address}" + ("" if port == 80 else f":{port}")
        os.makedirs(self.root)
        os.chmod(directory, 0o755)
        os.chmod(self._directory, 0o755)
        path = os.path.join(self._directory, "nginx.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(_CONFIGURATION.format(directory=self._directory, address=host.address, port=port))
        self._process = host.start(["nginx", "-p", self._directory, "-c", path],
                                   os.path.join(directory, "nginx.log"))
        wait_until("nginx listens", lambda: self._listens(host, port))

    def _listens(self, host, port):
        if not self._process.running():
            raise Failure(f"nginx ended:\n{self._process.tail()}")
        with host.socket(kind=1) as probe:
            return probe.connect_ex((host.address, port)) == 0

    def put(self, name, content):
        """A file under the server's root. Returns its URL."""
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w" if isinstance(content, str) else "wb") as file:
            file.write(content)
        return f"{self.url}/{name}"

    def path(self, name):
        return os.path.join(self.root, name)

    def requests(self):
        """[(method, path, status, query)] so far."""
        try:
            with open(os.path.join(self._directory, "access.log"), encoding="utf-8", errors="replace") as log:
                return [tuple((line.rstrip("\n") + " ").split(" ", 3)) for line in log]
        except FileNotFoundError:
            return []

    def fetched(self, path):
        return sum(1 for request in self.requests() if request[1] == path)

    def kill(self):
        self._process.kill()

    def start_again(self):
        """After kill()."""
        self._process = Process(self._process.argv, self._process.log_path)

    def stop(self):
        """It takes connections, as its system does, and says nothing."""
        self._process.send(signal.SIGSTOP)

    def go_on(self):
        self._process.send(signal.SIGCONT)

    def close(self):
        self.go_on()
        self._process.stop(signal.SIGTERM)
