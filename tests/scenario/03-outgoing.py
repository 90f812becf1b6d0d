"""Which mail is judged: authenticated, listed networks, listed senders, local; over TCP too."""
from rig import *

tap = Tap()
S = scratch_folder()
m = Missent(S, mapping=MAPPING)
m.socket_port = free_port()
OUTGOING = '''
outgoing {
	authenticated  = yes
	local          = no
	networks       = {"192.0.2.0/24", "2001:db8::/32"}
	sender-domains = {"seller.example"}
}
'''
m.write_policy('policy "all" { }\n')
m.write_conf(OUTGOING)
with open(m.conf) as f:
    text = f.read()
with open(m.conf, 'w') as f:  # Postfix's spelling in our file, libmilter's is in the unit tests
    f.write(text.replace('unix:' + m.socket, 'inet:127.0.0.1:%d' % m.socket_port))
m.process = subprocess.Popen([BUILD + '/missentd', '-c', m.conf], stderr=open(m.dir + '/log', 'ab'))
tap.ok(wait_for(lambda: listens(m.socket_port) and 'started' in m.tail()), 'missentd listens on TCP',
       m.tail())
p = Postfix(S, 'inet:127.0.0.1:%d' % m.socket_port,
            networks='203.0.113.0/24 192.0.2.0/24',
            settings='smtpd_authorized_xclient_hosts = 127.0.0.0/8\n')
p.start()


def asked_within():
    """Seconds after which the MTA's end of a connection is asked whether it is there; None: it never is."""
    with socket.create_connection(('127.0.0.1', m.socket_port)):
        def rows():
            with open('/proc/net/tcp') as f:
                found = [x.split() for x in f.read().splitlines()[1:]]
            return [x[5].split(':') for x in found if x[1].endswith(':%04X' % m.socket_port) and x[3] == '01']
        wait_for(rows)
        return max((int(when, 16) / 100 if kind == '02' else 1e9 for kind, when in rows()), default=None)


tap.ok((asked_within() or 1e9) <= 60, 'a connection whose other end went without a word is not kept', asked_within())


def send(subject, xclient, sender='someone@elsewhere.example'):
    """A wrong message from a client that XCLIENT makes up."""
    with smtplib.SMTP('127.0.0.1', p.port, timeout=60) as smtp:
        smtp.ehlo()
        if xclient:
            smtp.docmd('XCLIENT', xclient)
            smtp.ehlo()
        reply = p.send_on(smtp, message(subject, WRONG), ['kunde@alpha.example'], sender)
    return queue_id(reply) in p.held()


tap.ok(not send('stranger', 'ADDR=203.0.113.5 NAME=stranger.example'),
       'mail of a stranger is not outgoing')
tap.same(p.arrived('Subject: stranger'), 1, '... and is let through unread')
tap.ok(send('authenticated', 'ADDR=203.0.113.5 NAME=x.example LOGIN=anna'),
       'an authenticated submission is judged')
tap.ok(send('network', 'ADDR=192.0.2.77 NAME=app.example'), 'a client of a listed network is judged')
tap.ok(send('domain', 'ADDR=203.0.113.5 NAME=x.example', 'billing@SELLER.example'),
       'a sender of a listed domain is judged')
tap.ok(not send('local', None), 'a local client is not, where local = no')
m.write_policy('policy "anna" { auth-user = {"anna"} }\n')
mark = m.mark()
m.signal(signal.SIGUSR1)
wait_for(lambda: 'reloaded' in m.tail(mark))
tap.ok(send('by user', 'ADDR=203.0.113.5 NAME=x.example LOGIN=anna'), 'a policy for a user applies to her')
tap.ok(not send('other user', 'ADDR=203.0.113.5 NAME=x.example LOGIN=bert'), '... and not to others')
tap.same(m.stop(), 0, 'missentd stops cleanly')
tap.done()
