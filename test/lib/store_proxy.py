"""A proxy before an object store that fails on demand.

store_proxy.py PORT UPSTREAM FAULTS LOG

Requests to PORT of this machine are passed on to port UPSTREAM, with the Host
header as it was, so that signatures hold.  The file FAULTS says what becomes
of the next requests, one line each: METHOD PATTERN COUNT FAULT, where PATTERN
is part of a path and FAULT one of

    answer STATUS [CODE]    don't pass it on; answer with that status, and an S3 error of that code;
                            after SlowDown, ask for a pause of a second
    redo STATUS             pass it on, then answer with that status
    lose                    pass it on, then close without an answer
    cut                     pass it on, then close in the middle of the answer's headers
    close                   close at once
    hang SECONDS            don't pass it on; close after a while
    pretend                 don't pass it on; answer as if it had been stored
    wrong                   answer 200 with something else

Each request is a line of LOG: METHOD PATH STATUS FAULT, with status 0 where
there was no answer.  LOG.headers has its headers, but for the signature.
"""
import http.client
import http.server
import sys
import threading
import time

PORT, UPSTREAM = int(sys.argv[1]), int(sys.argv[2])
FAULTS, LOG = sys.argv[3], sys.argv[4]
lock = threading.Lock()
used = {}


def fault_for(method, path):
    with lock:
        try:
            lines = open(FAULTS).read().splitlines()
        except FileNotFoundError:
            return []
        for line in lines:
            wanted, pattern, count, *fault = line.split()
            if wanted == method and pattern in path and used.get(line, 0) < int(count):
                used[line] = used.get(line, 0) + 1
                return fault
    return []


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        fault = fault_for(self.command, self.path)
        status = self.handle_fault(fault, body)
        with lock, open(LOG, "a") as log:
            log.write(f"{self.command} {self.path} {status} {' '.join(fault)}\n")
            with open(LOG + ".headers", "a") as headers:
                headers.writelines(f"{name.lower()}: {value}\n" for name, value in self.headers.items()
                                   if name.lower() != "authorization")

    do_PUT = do_GET

    def handle_fault(self, fault, body):
        kind = fault[0] if fault else ""
        if kind == "answer":
            return self.refuse(int(fault[1]), fault[2] if len(fault) > 2 else "")
        if kind == "pretend":
            return self.reply(200, [("ETag", '"0"')], b"")
        if kind == "wrong":
            return self.reply(200, [("Content-Type", "text/html")], b"<html>Please log in</html>")
        if kind in ("close", "hang"):
            time.sleep(float(fault[1]) if kind == "hang" else 0)
            return self.hang_up()

        status, headers, answer = self.pass_on(body)
        if kind == "redo":
            return self.refuse(int(fault[1]), "")
        if kind == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-")
        if kind in ("lose", "cut"):
            return self.hang_up()
        return self.reply(status, headers, answer)

    def pass_on(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", UPSTREAM, timeout=20)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read()

    def refuse(self, status, code):
        pause = [("Retry-After", "1")] if code == "SlowDown" else []
        return self.reply(status, pause, f"<Error><Code>{code}</Code></Error>".encode())

    def reply(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return status

    def hang_up(self):
        self.close_connection = True
        return 0

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer.daemon_threads = True
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Proxy).serve_forever()
