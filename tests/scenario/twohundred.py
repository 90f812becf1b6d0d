"""Two hundred held mails of eight causes: what a billing system's bad morning leaves to a reviewer.

Each mail has a key, the decision that is right for it, and who may have it afterwards.
"""
import io
import zipfile

from browser import *

N = 120
CUSTOMERS = ['CUST%04d' % (200 + i) for i in range(N)]
DOMAINS = ['kunde%03d.example' % i for i in range(N)]
NEW = 'rechnungen@gruppe-nord.example'  # nobody told the directory of this address
POLICIES = '''
policy "invoices" {
	sender  = {"billing@seller.example"}
	kinds   = {"customer-number", "contract-number", "email"}
	require = {"customer-number"}
	max-recipients = 30
	max-visible-recipients = 8
	on-unknown-recipient = hold
}
policy "reminders" {
	sender  = {"reminder@seller.example"}
	kinds   = {"customer-number", "contract-number"}
}
'''


def number(i):
    return 'K-%05d' % (70000 + i % N)


def contract(i):
    return 'V-%06d' % (310000 + 7 * (i % N))


def mapping():
    rows = [('house', 'recipient', '@seller.example')]
    for i in range(N):
        rows += [(CUSTOMERS[i], 'recipient', '@' + DOMAINS[i]), (CUSTOMERS[i], 'customer-number', number(i)),
                 (CUSTOMERS[i], 'contract-number', contract(i))]
    return rows


def address(i):
    return 'einkauf@' + DOMAINS[i % N]


def page_of(text):
    """A PDF of some lines."""
    lines = ''.join('(%s) Tj 0 -18 Td ' % line for line in text.split('\n'))
    stream = 'BT /F 12 Tf 40 700 Td %s ET' % lines
    return ('%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n'
            '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n'
            '4 0 obj<</Length %d>>stream\n%s\nendstream endobj\n5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n'
            'trailer<</Root 1 0 R>>\n' % (len(stream), stream)).encode()


def locked_zip():
    """An archive whose member says that it is encrypted."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_STORED) as z:
        z.writestr('rechnung.pdf', os.urandom(400))
    data = bytearray(out.getvalue())
    for mark, offset in ((b'PK\x03\x04', 6), (b'PK\x01\x02', 8)):
        at = data.find(mark)
        data[at + offset] |= 1
    return bytes(data)


def mail(subject, sender, to, body, attached=None):
    """With To as it is given, and perhaps (name, bytes) attached."""
    head = ('From: Seller <%s>\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%f@seller.example>\r\nDate: Thu, 26 Nov 2026 08:00:00 +0000\r\n'
            % (sender, to, subject, time.time()))
    if attached is None:
        return head + '\r\n' + body.replace('\n', '\r\n')
    name, data = attached
    return (head + 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n%s'
            '\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n'
            'Content-Disposition: attachment; filename="%s"\r\n\r\n%s--b--\r\n' % (
                body.replace('\n', '\r\n'), name, base64.encodebytes(data).decode().replace('\n', '\r\n')))


def invoice(i):
    return 'Invoice\ncustomer number: %s\ncontract number: %s\n' % (number(i), contract(i))


def swapped(k):
    """The batch is shifted by one row."""
    subject = 'Invoice 2026-%05d for customer %s' % (41000 + k, number(k + 1))
    return ('swapped', 'return', subject, 'billing@seller.example', [address(k)], [],
            mail(subject, 'billing@seller.example', address(k), 'Please find your invoice attached.\n',
                 ('Rechnung %s Hauptstr 5.pdf' % number(k + 1), page_of(invoice(k + 1)))))


def moved(k):
    """One customer's new mailbox."""
    subject = 'Invoice 2026-%05d' % (42000 + k)
    return ('moved', 'release', subject, 'billing@seller.example', [NEW], [NEW],
            mail(subject, 'billing@seller.example', NEW, invoice(5)))


def service(k):
    subject = 'Service notice: maintenance on Sunday (%d)' % k
    return ('service', 'release', subject, 'billing@seller.example', [address(k)], [address(k)],
            mail(subject, 'billing@seller.example', address(k), 'Dear customer,\nwe work on our network on Sunday.\n'))


def overgrown(k):
    subject = 'Price list %d' % k
    to = [address(i) for i in range(40)]
    return ('overgrown', 'return', subject, 'billing@seller.example', to, [],
            mail(subject, 'billing@seller.example', 'undisclosed-recipients:;', 'Our new prices.\n'))


def locked(k):
    subject = 'Your documents %d' % k
    return ('locked', 'return', subject, 'billing@seller.example', [address(k)], [],
            mail(subject, 'billing@seller.example', address(k), invoice(k), ('unterlagen-%s.zip' % number(k), locked_zip())))


def both(k):
    """To the customer, and to another beside him."""
    subject = 'Contract %s' % contract(k)
    to = [address(k), address(k + 50)]
    return ('both', 'right', subject, 'billing@seller.example', to, [address(k)],
            mail(subject, 'billing@seller.example', ', '.join(to), invoice(k)))


def reminder(k):
    subject = 'Reminder: invoice 2026-%05d is overdue' % (43000 + k)
    return ('reminder', 'return', subject, 'reminder@seller.example', [address(k)], [],
            mail(subject, 'reminder@seller.example', address(k), invoice(k + 60)))


def exposed(k):
    subject = 'Event invitation %d' % k
    return ('exposed', 'return', subject, 'billing@seller.example', [address(k)], [],
            mail(subject, 'billing@seller.example', ', '.join('gast%d@kunde%03d.example' % (i, k) for i in range(12)),
                 'Dear customer,\ncustomer number: %s\n' % number(k)))


KINDS = ((swapped, 40), (moved, 25), (service, 30), (overgrown, 10), (locked, 20), (both, 20), (reminder, 35), (exposed, 20))
TOTAL = sum(n for _, n in KINDS)


class World:
    """Postfix, missentd, agent and page, and the mails held."""

    def __init__(self, scratch, page='', desk='', port=None):
        self.port = port or free_port()
        self.site = 'http://127.0.0.1:%d' % self.port
        self.m = m = Missent(scratch, policies=POLICIES, mapping=mapping())
        m.start()
        self.p = p = Postfix(scratch, 'unix:' + m.socket, settings='default_process_limit = 20\n')
        p.start()
        m.more = p.settings() + p.desk('socket-group = "daemon"\n' + desk) + \
            'review {\nlisten = "127.0.0.1:%d"\nuser = "daemon"\n%s\n}\n' % (self.port, page)
        m.write_conf()
        m.tool('review', 'users')
        m.tool('review', 'adduser', 'anna', stdin="anna's-password\n")
        self.keys = {}  # queue ID to (kind, right decision, subject, sender, to, who may have it)

    def start(self):
        m = self.m
        subprocess.run(['chgrp', 'daemon', m.state], check=True)
        os.chmod(m.state, 0o750)
        subprocess.run('chgrp daemon %s/held.db*' % m.state, shell=True)
        self.agent = Program(m, 'missent-agent', '-r').start()
        self.page = Program(m, 'missent-review').start()

    def send(self):
        """All of them, in the order in which a day would bring them."""
        mails = [make(k) for make, n in KINDS for k in range(n)]
        random.Random(1).shuffle(mails)
        with smtplib.SMTP('127.0.0.1', self.p.port, timeout=120) as smtp:
            for kind, right, subject, sender, to, may, text in mails:
                code, reply = self.p.send_on(smtp, text, to, sender)
                for _ in range(5):
                    if code // 100 == 4:  # as any sender does
                        time.sleep(1)
                        code, reply = self.p.send_on(smtp, text, to, sender)
                if code != 250:
                    raise RuntimeError(reply)
                self.keys[queue_id((code, reply))] = (kind, right, subject, sender, to, may)
        return wait_for(lambda: json.loads(self.m.tool('held', 'stats', '--json'))['held'] == TOTAL, 30)
