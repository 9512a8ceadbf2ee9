"""A TCP proxy that can cut, delay and swallow what passes, each direction by itself. Held bytes come late, not never: the
network would send them again."""
import socket
import struct
import threading
import time

CHUNK = 1 << 16


class Proxy:
    """Listens from its making on; upstream is where it connects to: a port on this host. May be set later."""

    def __init__(self, upstream=None):
        self.upstream = upstream
        self.delay = 0.0
        self.passes = {"up": threading.Event(), "down": threading.Event()}
        for event in self.passes.values():
            event.set()
        self.pairs = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.connect, args=(client,), daemon=True).start()

    def connect(self, client):
        self.passes["up"].wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.upstream), timeout=10)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = (client, server)
        with self.lock:
            self.pairs.add(pair)
        threading.Thread(target=self.pump, args=(pair, client, server, "up"), daemon=True).start()
        self.pump(pair, server, client, "down")

    def pump(self, pair, source, target, way):
        try:
            while data := source.recv(CHUNK):
                if self.delay:
                    time.sleep(self.delay)
                self.passes[way].wait()
                target.sendall(data)
        except OSError:
            pass
        self.end(pair)

    def end(self, pair):
        with self.lock:
            self.pairs.discard(pair)
        for end in pair:
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not an end
                end.shutdown(socket.SHUT_RDWR)
                end.close()
            except OSError:
                pass

    def cut(self):
        """Every connection, now."""
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            self.end(pair)
        return len(pairs)

    def hold(self, *ways):
        for way in ways:
            self.passes[way].clear()

    def release(self):
        for event in self.passes.values():
            event.set()

    def close(self):
        self.release()
        self.listener.close()
        self.cut()
