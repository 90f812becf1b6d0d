"""What tests/bench/planted and tests/bench/producers share: the reading of a message."""
import sys

from findings import Asker


class Reader(Asker):
    """What one message says: its findings, and what is unread."""

    def read(self, mail):
        self.process.stdin.write(b'M\t%d\n' % len(mail) + mail)
        self.process.stdin.flush()
        found, unread = set(), set()
        while True:
            line = self.process.stdout.readline().decode('utf-8', 'replace').rstrip('\n')
            if line == '.':
                return found, unread
            if not line:
                sys.exit('the reader is gone')
            parts = line.split('\t')
            if parts[0] == 'f':
                found.add((parts[1], parts[2]))
            else:
                unread.add(tuple(parts[1:4]))
