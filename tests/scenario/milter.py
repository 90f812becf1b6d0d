"""The MTA's end of the milter protocol, for scenarios and benchmarks that need no MTA.

One connection at a time a Client; what the filter answers comes back as one word.  The numbers are
those of libmilter's mfdef.h (protocol version 6).
"""
import contextlib
import itertools
import socket
import struct
import threading

ACTIONS, STEPS = 0x1ff, 0xfffff
# Steps that a filter may wish not to see, and those it may wish not to answer.
SKIP = {'C': 0x1, 'H': 0x2, 'M': 0x4, 'R': 0x8, 'B': 0x10, 'L': 0x20, 'N': 0x40, 'T': 0x200}
SILENT = {'L': 0x80, 'C': 0x1000, 'H': 0x2000, 'M': 0x4000, 'R': 0x8000, 'T': 0x10000, 'N': 0x40000,
          'B': 0x80000}
FINAL = 'acrtdy4f'
numbers = itertools.count(1)


class Gone(Exception):
    """The filter closed the connection, or did not answer in time."""


class Client:
    def __init__(self, path, timeout=60, address='127.0.0.1'):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(path)
        except OSError as why:
            raise Gone(str(why)) from why
        self.put('O', struct.pack('>III', 6, ACTIONS, STEPS))
        self.wishes = struct.unpack('>III', self.get()[1][:12])[2]
        self.begin(address)

    def begin(self, address='127.0.0.1'):
        self.macros('C', j='mx.seller.example')
        self.step('C', b'client.example\0' + b'4' + struct.pack('>H', 1025) + address.encode() + b'\0')

    def again(self):
        """Quit, and a new session of SMTP follows on the same connection, without another negotiation."""
        self.put('K')
        self.begin()

    def put(self, letter, data=b''):
        try:
            self.socket.sendall(struct.pack('>I', len(data) + 1) + letter.encode() + data)
        except OSError as why:
            raise Gone(str(why)) from why

    def take(self, n):
        got = b''
        while len(got) < n:
            try:
                piece = self.socket.recv(n - len(got))
            except OSError as why:
                raise Gone(str(why)) from why
            if not piece:
                raise Gone('closed')
            got += piece
        return got

    def get(self):
        (n,) = struct.unpack('>I', self.take(4))
        packet = self.take(n)
        return packet[:1].decode('latin-1'), packet[1:]

    def macros(self, step, **values):
        pairs = ((k if len(k) == 1 else '{%s}' % k, v) for k, v in values.items())
        self.put('D', step.encode() + b''.join(k.encode() + b'\0' + v.encode() + b'\0' for k, v in pairs))

    def step(self, letter, data=b''):
        """The letter of the answer; 'c' where none is wanted."""
        if self.wishes & SKIP.get(letter, 0):
            return 'c'
        self.put(letter, data)
        return 'c' if self.wishes & SILENT.get(letter, 0) else self.get()[0]

    def send(self, text, to, sender='billing@seller.example', queue_id=None):
        """One message: 'deliver', 'hold', 'tempfail', 'reject', 'discard' or 'split' and who is left out."""
        self.begin_message(text, to, queue_id or '4F%010d' % next(numbers), sender)
        self.put('E')
        changes = []
        while True:
            letter, data = self.get()
            if letter in FINAL:
                return word_of(letter, data, changes)
            changes.append((letter, data))

    def begin_message(self, text, to, queue_id, sender='billing@seller.example'):
        """All of it but its end."""
        self.macros('M', i=queue_id)
        self.step('M', b'<' + sender.encode() + b'>\0')
        for address in to:
            self.step('R', b'<' + address.encode() + b'>\0')
        header, _, body = text.replace('\r\n', '\n').partition('\n\n')
        for field in header.replace('\n ', ' ').replace('\n\t', ' ').split('\n'):
            name, _, value = field.partition(':')
            self.step('L', name.encode() + b'\0' + value.strip().encode() + b'\0')
        self.step('N')
        data = body.replace('\n', '\r\n').encode()
        for at in range(0, len(data), 65535):
            if self.step('B', data[at:at + 65535]) == 's':
                break
        self.macros('E', i=queue_id)

    def close(self):
        with contextlib.suppress(Gone):
            self.put('Q')
        self.socket.close()


def word_of(letter, data, changes):
    if letter in 'ac':
        if any(c == 'q' for c, _ in changes):
            return 'hold'
        gone = sorted(d.rstrip(b'\0').decode() for c, d in changes if c == '-')
        return 'split ' + ' '.join(gone) if gone else 'deliver'
    if letter == 'y':
        return 'reject' if data[:1] == b'5' else 'tempfail'
    return {'t': 'tempfail', 'r': 'reject', 'd': 'discard', '4': 'tempfail', 'f': 'tempfail'}[letter]


def verdict(path, text, to, sender='billing@seller.example', timeout=60, queue_id=None):
    """One message over a connection of its own; 'gone' when there is no answer."""
    try:
        client = Client(path, timeout)
    except Gone:
        return 'gone'
    try:
        return client.send(text, to, sender, queue_id)
    except Gone:
        return 'gone'
    finally:
        client.close()


def each(work, jobs, threads):
    """Does `work(job)` for all of them, a few at a time."""
    todo, lock = iter(jobs), threading.Lock()

    def run():
        while True:
            with lock:
                job = next(todo, None)
            if job is None:
                return
            work(job)

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
