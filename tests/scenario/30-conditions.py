"""Each condition of a policy, and its twin, by what a real Postfix says of mail: who had logged in, from which client,
when, header and what other filters wrote, sizes, attachments, identifiers.  What nobody knows takes no policy away,
and is told."""
import threading

from rig import *

tap = Tap()
S = scratch_folder()
AUTH = S + '/auth'


class Authority(threading.Thread):
    """Says to Postfix that a password is right, in the protocol of Dovecot's; the name is who logged in."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(AUTH)
        os.chmod(AUTH, 0o666)
        self.listener.listen(50)

    def run(self):
        while True:
            threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile('rwb', 0) as f:
            f.write(b'VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t%s\nDONE\n' % (b'0' * 32))
            for line in f:
                words = line.decode().rstrip('\n').split('\t')
                if words[0] == 'AUTH':
                    response = base64.b64decode(words[-1].split('resp=')[1])
                    f.write(b'OK\t%s\tuser=%s\n' % (words[1].encode(), response.split(b'\0')[1]))


now = time.gmtime()
window = lambda frm, to: '%02d:%02d-%02d:%02d' % ((now.tm_hour + frm) % 24, now.tm_min, (now.tm_hour + to) % 24, now.tm_min)
ZONE = ('time-zone = "UTC"',)
# what is asked for, and what else the policy needs
CONDITIONS = {
    'sender': ('sender', '"invoices@seller.example"'),
    'auth-user': ('auth-user', '"web-*"'),
    'networks': ('networks', '"10.9.0.0/16"'),
    'time': ('time', '"%s"' % window(-2, 2), *ZONE),
    'late': ('time', '"%s"' % window(10, 14), *ZONE),
    'header': ('header', '"X-Run: ^month"'),
    'header-present': ('header-present', '"List-Id"'),
    'filter-header': ('filter-header', '"X-Filter: ^YES"'),
    'auth-results': ('auth-results', '"spf=fail"', 'authserv-id = {"mx.seller.example"}'),
    'message-size': ('message-size', '"over 20K"'),
    'attachment': ('attachment', '"application/x-run"'),
    'attachment-type': ('attachment-type', '"application/pdf"'),
    'attachment-name': ('attachment-name', '"*.csv"'),
    'attachment-size': ('attachment-size', '"over 10K"'),
    'attachments': ('attachments', '"2 to 3"'),
    'identifiers': ('identifiers', '"over 1"'),
}
UNKNOWN = {'filter-header', 'auth-results'}  # of mail that no other filter saw


def policy(title, condition, more=''):
    key, value, *needs = CONDITIONS[condition]
    return 'policy "%s" {\nkinds = {"customer-number"}\n%s%s = {%s}\n%s\n%s}\n' % (
        title, 'not-' if title.startswith('not ') else '', key, value, '\n'.join(needs), more)


policies = ''.join(policy(name, name) + policy('not ' + name, name) for name in CONDITIONS)
policies += policy('strict', 'auth-user', 'mode = enforce\n')
m = Missent(S, mode='observe', policies=policies, mapping=MAPPING + [('AC-1', 'customer-number', 'C-10003')],
            more='outgoing { networks = {"127.0.0.0/8", "10.9.0.0/16"} }')
Authority().start()
m.start()
p = Postfix(S, 'unix:' + m.socket, networks='10.9.0.0/16', settings='''
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = %s
smtpd_authorized_xclient_hosts = 127.0.0.0/8
''' % AUTH)
p.start()


def mime(*parts, text='your customer number: C-10001'):
    out = '--b\nContent-Type: text/plain\n\n%s\n' % text
    for kind, name, data in parts:
        out += ('--b\nContent-Type: %s\nContent-Transfer-Encoding: base64\n'
                'Content-Disposition: attachment%s\n\n%s' % (kind, '; filename="%s"' % name if name else '',
                                                             base64.encodebytes(data).decode()))
    return dict(more=MIXED, body=out + '--b--\n')


def send(word, sender='billing@seller.example', user=None, client=None, more='', body=RIGHT):
    with smtplib.SMTP('127.0.0.1', p.port, timeout=120) as smtp:
        smtp.ehlo()
        if client is not None:
            smtp.docmd('XCLIENT', 'ADDR=' + client)
            smtp.ehlo()
        if user is not None:
            smtp.login(user, 'secret')
        return p.send_on(smtp, message(word, body, more=more), ('kunde@alpha.example',), sender)


def line_of(reply):
    """Of the trail, of the message that Postfix took."""
    found = [a for a in m.audit() if a.get('queue_id') == queue_id(reply)]
    return found[0] if len(found) == 1 else {}


def row(name, meets=(), unknown=UNKNOWN, **mail):
    reply = send(name, **mail)
    line = line_of(reply)
    want = set()
    for condition in CONDITIONS:
        met = condition in meets or condition == 'time'
        want |= {condition} if met or condition in unknown else set()
        want |= {'not ' + condition} if not met or condition in unknown else set()
    got = set(line.get('policies', [])) - {'strict'}
    tap.ok(got == want, name, 'reply %r\ntoo many %r\nmissing %r' % (reply, sorted(got - want), sorted(want - got)))
    said = {u.split(': ')[0].replace('not ', '') for u in line.get('unsure', [])}
    if said != set(unknown):
        tap.ok(False, '... and what is not known of it is on the trail', line.get('unsure'))
    return reply


row('plain mail meets the time, and no other')
row('another sender', {'sender'}, sender='invoices@seller.example')
row('somebody of the list had logged in', {'auth-user'}, user='web-shop')
row('... somebody else had', user='clerk')
row('from a client of the network', {'networks'}, client='10.9.3.4')
row('a header field', {'header'}, more='X-Run: monthly\r\n')
row('... with another value', more='X-Run: weekly, not month\r\n')
row('a field that is there', {'header-present'}, more='List-Id: <a.seller.example>\r\n')
row('another filter says yes', {'filter-header'}, {'auth-results'}, more='X-Filter: YES, 12 points\r\n')
row('... no', (), {'auth-results'}, more='X-Filter: NO\r\n')
row('... no, above what the client wrote', (), {'auth-results'}, more='X-Filter: NO\r\nX-Filter: YES\r\n')
row('SPF failed', {'auth-results'}, {'filter-header'}, more='Authentication-Results: mx.seller.example; spf=fail\r\n')
row('... passed', (), {'filter-header'}, more='Authentication-Results: mx.seller.example; spf=pass\r\n')
row('... says a service that is not believed', more='Authentication-Results: mx.other.example; spf=fail\r\n')
row('a large message', {'message-size'}, body=RIGHT + 'all the best to you\n' * 1500)
row('a part of a type that it says', {'attachment'}, **mime(('application/x-run', '', b'a run of letters')))
PDF = base64.b64decode(pdf('customer number: C-10001').split('filename=document\n\n')[1].split('--b--')[0])
row('a PDF that is called otherwise', {'attachment-type'}, **mime(('application/octet-stream', 'a.bin', PDF)))
row('a name', {'attachment-name'}, **mime(('text/plain', 'rows.csv', b'customer number;C-10001\n')))
row('a large attachment', {'attachment-size', 'message-size'},
    **mime(('text/plain', 'a.txt', b'all the best to you\n' * 1000)))
row('two attachments', {'attachments'}, **mime(('text/plain', 'a.txt', b'one\n'), ('text/plain', 'b.txt', b'two\n')))
row('two identifiers', {'identifiers'}, body='customer number: C-10001\ncustomer number: C-10003\n')
row('much at once', {'sender', 'auth-user', 'networks', 'header', 'identifiers'}, sender='invoices@seller.example',
    user='web-1', client='10.9.0.1', more='X-Run: month\r\n', body='customer number: C-10001\ncustomer number: C-10003\n')

# ---- what depends on it is done ----
held = send('held', user='web-shop', body=WRONG)
gone = send('gone', user='clerk', body=WRONG)
nobody = send('nobody', body=WRONG)
tap.ok(p.arrived('Subject: gone') == 1 and p.arrived('Subject: nobody') == 1, 'who is not of the list is not under it')
tap.ok(queue_id(held) in p.held() and line_of(held).get('verdict') == 'hold', 'the policy for who logged in holds his mail',
       (held, p.held()))

# ---- and what nobody knows is told ----
stats = json.loads(m.tool('stats', '--by', 'policy', '--json'))
rows = {r['name']: r for r in stats['rows']}
tap.ok(rows['auth-results']['unsure'] == rows['not auth-results']['unsure'] >= 20 and rows['header']['unsure'] == 0,
       'stats count by policy what was not known', stats)
tap.ok(any(u['what'].startswith('filter-header: filter-header (') and u['messages'] >= 20 for u in stats['unsure']),
       '... by condition, with why', stats['unsure'])
tap.ok('counted as met' in m.tool('stats'), '... and in the table')
tap.ok(wait_for(lambda: 'of which a condition was not known' in m.tool('status')), 'status tells it too', m.tool('status'))
m.stop()
tap.done()
