"""A proxy between agents and nissad that loses acks: it cuts a connection after a random number of the server's bytes,
in the middle of a frame if it falls so. What the agent sent has reached the server all the same."""
import random
import socket
import threading


class LossyProxy:
    def __init__(self, server_port, seed, least=200, most=20000):
        self.server_port, self.least, self.most = server_port, least, most
        self.random = random.Random(seed)
        self.cuts = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                agent, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.server_port), timeout=5)
            except OSError:
                agent.close()
                continue
            allowed = self.random.randrange(self.least, self.most)
            threading.Thread(target=self._pump, args=(agent, server, None), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, agent, allowed), daemon=True).start()

    def _pump(self, source, sink, allowed):
        try:
            source.settimeout(None)
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if allowed is not None:
                    if len(data) >= allowed:
                        sink.sendall(data[:allowed])
                        self.cuts += 1
                        break
                    allowed -= len(data)
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def close(self):
        self.listener.close()
