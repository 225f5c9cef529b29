"""A server of the tests that answers what it is told to, for what the real one rarely says."""
import socket
import threading

from .agent import pb, varint


class ScriptedServer:
    """`answer(number, batch)` gives the Ack of the batch that arrived as number 0, 1, ...: its fields beside the key;
    None cuts the connection instead, "nothing" leaves it unanswered. An epoch is known once a batch of it was counted."""

    def __init__(self, answer, **limits):
        self.answer = answer
        self.limits = {"max_frame_bytes": 1 << 20, "max_events": 1000, "window_batches": 256, "window_bytes": 1 << 20, **limits}
        self.batches, self.goodbyes, self.hellos, self.known = [], [], [], set()
        self.now = pb.EpochSeen(state_id=7, running_ms=1000)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                with connection, connection.makefile("rb") as stream:
                    self._serve(connection, stream)
            except (OSError, EOFError):
                pass

    def _serve(self, connection, stream):
        while True:
            frame = self._read(stream)
            if frame.HasField("hello"):
                self.hellos.append(frame.hello)
                self._say(connection, hello_ack=pb.HelloAck(
                    now=self.now, epoch_known=frame.hello.epoch in self.known, **self.limits))
            elif frame.HasField("goodbye"):
                self.goodbyes.append(frame.goodbye.epoch)
            else:
                batch = frame.batch
                self.batches.append(batch)
                answer = self.answer(len(self.batches) - 1, batch)
                if answer is None:
                    return
                if answer != "nothing":
                    if answer["status"] == pb.Ack.COUNTED:
                        self.known.add(batch.epoch)
                    self._say(connection, ack=pb.Ack(epoch=batch.epoch, priority=batch.priority, sequence=batch.sequence,
                                                     now=self.now, **answer))

    @staticmethod
    def _read(stream):
        size = shift = 0
        while True:
            byte = stream.read(1)
            if not byte:
                raise EOFError
            size |= (byte[0] & 0x7F) << shift
            shift += 7
            if byte[0] < 0x80:
                return pb.ClientFrame.FromString(stream.read(size))

    @staticmethod
    def _say(connection, **message):
        data = pb.ServerFrame(**message).SerializeToString()
        connection.sendall(varint(len(data)) + data)
