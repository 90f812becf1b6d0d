"""Mail that is dear to read, clients that are slow or silent, and what a process has: for the benches of fairness and
of long runs."""
import base64
import contextlib
import os
import socket
import struct
import threading
import time


def nested_forms(levels=12, each=10):
    """The text of a multipart message with a small PDF whose page takes each ** levels steps to draw."""
    objects = ['<</Type/Catalog/Pages 2 0 R>>', '<</Type/Pages/Kids[3 0 R]/Count 1>>',
               '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>',
               '<</Length 5>>stream\n/X Do\nendstream']
    draw = '/X Do ' * each
    for i in range(levels):
        objects.append('<</Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</XObject<</X %d 0 R>>>>/Length %d>>'
                       'stream\n%s\nendstream' % (6 + i, len(draw), draw))
    text = 'BT /F 12 Tf 40 700 Td (again and again) Tj ET'
    objects.append('<</Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F %d 0 R>>>>/Length %d>>'
                   'stream\n%s\nendstream' % (6 + levels, len(text), text))
    objects.append('<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>')
    pdf = '%PDF-1.4\n' + ''.join('%d 0 obj%s\nendobj\n' % (i + 1, x) for i, x in enumerate(objects)) \
        + 'trailer<</Root 1 0 R>>\n'
    return ('--b\nContent-Type: text/plain\n\nPlease find your invoice attached.\n--b\nContent-Type: application/pdf\n'
            'Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=invoice.pdf\n\n%s--b--\n'
            % base64.encodebytes(pdf.encode()).decode())


def proc(pid, name):
    with contextlib.suppress(OSError):
        with open('/proc/%d/%s' % (pid, name)) as f:
            return f.read()
    return ''


def rss(pid):
    """Bytes."""
    return int((proc(pid, 'statm') or '0 0').split()[1]) * os.sysconf('SC_PAGE_SIZE')


def descriptors(pid):
    return len(listed('/proc/%d/fd' % pid))


def threads(pid):
    return len(listed('/proc/%d/task' % pid))


def listed(path):
    with contextlib.suppress(OSError):  # it may have ended
        return os.listdir(path)
    return []


def descendants(pid):
    out, todo = [], [pid]
    while todo:
        one = todo.pop()
        for task in listed('/proc/%d/task' % one):
            found = [int(x) for x in proc(one, 'task/%s/children' % task).split()]
            out += found
            todo += found
    return out


def packet(command, data=b''):
    return struct.pack('>I', len(data) + 1) + command + data


HELLO = packet(b'O', struct.pack('>III', 6, 0x1ff, 0x1fffff & ~0x100000))


def connect(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(path)
    s.sendall(HELLO)
    if not s.recv(64):
        raise ConnectionError('refused')
    return s


class Idle:
    """Connections that said hello and nothing more."""

    def __init__(self, path, n):
        self.sockets = []
        with contextlib.suppress(OSError):
            while len(self.sockets) < n:
                self.sockets.append(connect(path))
        self.count = len(self.sockets)

    def kill(self):
        for s in self.sockets:
            s.close()

    def wait(self):
        pass


class Slow(Idle):
    """Clients in the middle of a message: one drips a byte of a chunk of its body, now and then."""

    def __init__(self, path, n):
        super().__init__(path, n)
        self.ending = False
        for s in self.sockets:
            s.sendall(packet(b'C', b'localhost\x004\x04\xd2127.0.0.1\0') + packet(b'M', b'<slow@seller.example>\0')
                      + packet(b'R', b'<kunde@alpha.example>\0') + packet(b'L', b'Subject\0slow\0') + packet(b'N')
                      + struct.pack('>I', 65000) + b'B')
        self.thread = threading.Thread(target=self.drip, daemon=True)
        self.thread.start()

    def drip(self):
        while not self.ending:
            for s in self.sockets:
                with contextlib.suppress(OSError):
                    s.sendall(b'x')
                time.sleep(0.001)

    def kill(self):
        self.ending = True
        self.thread.join()
        super().kill()
