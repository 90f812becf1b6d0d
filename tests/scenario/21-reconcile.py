"""Logs of a real Postfix and a real Sendmail against the trail: each way past the filter is found, none is invented."""
import datetime
import gzip
import lzma
import threading

import sendmail
from sendmail import *

tap = Tap()
S = scratch_folder()
POLICIES = POLICY + action_policies('reject', 'split')
KNOWN = [('AC-1', 'recipient', x) for x in ('x@bounce.example', 'x@later.example', 'copied@alpha.example', 'b@alpha.example', 'aliased@alpha.example')]
m = Missent(S, policies=POLICIES, mapping=MAPPING + KNOWN, more='outgoing { local = no\nsender-domains = {"seller.example"} }')
m.start()
MTA = {}  # name of a message: its queue ID


def reconcile(*files, more=()):
    out = m.tool('audit', 'reconcile', '--json', *more, *files)
    try:
        return json.loads(out[out.index('{'):])
    except ValueError:
        raise RuntimeError(out)


def rows(result):
    """{queue ID: [(what, recipients, why)]}"""
    found = {}
    for row in result['rows']:
        found.setdefault(row['queue_id'], []).append((row['what'], row['recipients'], row['why']))
    return found


def check(p, files, planted, made=(), name=''):
    """Exactly the planted ones are told, each with the words that are its reason."""
    result = reconcile(*files)
    found = rows(result)
    for what, (kind, n, word) in planted.items():
        got = found.pop(MTA[what], [])
        tap.ok(len(got) == 1 and got[0][0] == kind and got[0][1] == n and word in got[0][2],
               '%s%s: %s is told as %s' % (p.kind, name, what, kind), got)
    others = {k: v for k, v in found.items() if any(x[0] != 'made-by-mta' for x in v)}
    tap.same(others, {}, '%s%s: nothing else is told' % (p.kind, name))
    tap.same(sorted(v[0][0] for k, v in found.items() if k not in others), ['made-by-mta'] * len(made),
             '%s%s: what the MTA made of outgoing mail is told as that' % (p.kind, name))
    tap.same((result['not_known'], result['before']), ([], 0), '%s%s: nothing is unknown' % (p.kind, name))
    tap.same(m.code, 1, '%s%s: ... and the command says so' % (p.kind, name))
    return result


def send(p, name, body=RIGHT, to=('kunde@alpha.example',), port=None, sender='billing@seller.example'):
    usual, p.port = p.port, port or p.port
    try:
        reply = p.send(message(name, body, sender=sender), to=to, sender=sender)
    finally:
        p.port = usual
    if reply[0] == 250:
        MTA[name] = p.queue_id(reply)
    return reply


def hold(p, name):
    send(p, name, WRONG)
    tap.ok(wait_for(lambda: MTA[name] in p.held()), '%s: %s is held' % (p.kind, name), m.tail())


# ---- Postfix -------------------------------------------------------------------------------------
class Listeners(Postfix):
    def write(self, milter, action, settings, networks):
        super().write(milter, action, settings, networks)
        self.milter = milter
        self.silent, self.submission, self.filtered, self.back = (free_port() for _ in range(4))
        with open(self.etc + '/master.cf', 'a') as f:
            f.write('127.0.0.1:%d inet n - n - - smtpd\n  -o receive_override_options=no_milters\n' % self.silent)
            f.write('127.0.0.1:%d inet n - n - - smtpd\n  -o syslog_name=postfix/submission -o smtpd_milters=\n' % self.submission)
            f.write('127.0.0.1:%d inet n - n - - smtpd\n  -o content_filter=smtp:[127.0.0.1]:%d\n' % (self.filtered, self.back))
            f.write('127.0.0.1:%d inet n - n - - smtpd\n  -o receive_override_options=no_milters -o content_filter=\n' % self.back)

    def set(self, **settings):
        subprocess.run(['postconf', '-c', self.etc, *('%s=%s' % x for x in settings.items())], check=True)
        n = self.log().count('reload --')
        subprocess.run(['postfix', '-c', self.etc, 'reload'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.log().count('reload --') > n)
        time.sleep(1.1)  # a stamp without fractions

    def local(self, name, to=('kunde@alpha.example',)):
        self.sendmail(message(name, RIGHT), to)
        self.arrived('Subject: ' + name)
        MTA[name] = re.findall(r'(\w+): uid=\d+ from=<[^>]*>$', self.log(), re.M)[-1]


def refuse(server):
    """An SMTP server that knows no recipient."""
    while True:
        with server.accept()[0] as client, client.makefile('rw', newline='\r\n') as f:
            print('220 refusing', file=f, flush=True)
            for line in f:
                word = line[:4].upper()
                print({'RCPT': '550 5.1.1 no such', 'QUIT': '221 bye'}.get(word, '250 ok'), file=f, flush=True)
                if word == 'QUIT':
                    break


server = socket.create_server(('127.0.0.1', 0))
threading.Thread(target=refuse, args=(server,), daemon=True).start()
MAPS = ('transport_maps = inline:{ { bounce.example = smtp:[127.0.0.1]:%d } { later.example = smtp:[127.0.0.1]:1 } }\n'
        % server.getsockname()[1] +
        'recipient_bcc_maps = inline:{ { copied@alpha.example = spy@elsewhere.example } }\n'
        'virtual_alias_maps = inline:{ { aliased@alpha.example = one@elsewhere.example,two@elsewhere.example } }\n'
        'sender_canonical_maps = inline:{ { www@web1.elsewhere.example = billing@seller.example } }\n'
        'header_checks = regexp:{ { /^Subject: redirected/ REDIRECT other@elsewhere.example } }\n')
p = Listeners(S, 'unix:' + m.socket, settings=MAPS)
m.more += p.settings() + p.desk('notice-sender = no')
m.write_conf()
p.start()
send(p, 'right')
hold(p, 'kept')
hold(p, 'released')
hold(p, 'let go')
hold(p, 'put back by hand')
hold(p, 'returned')
send(p, 'refused', WRONG, sender='reject@seller.example')
send(p, 'split', WRONG, ('kunde@alpha.example', 'anna@beta.example'), sender='split@seller.example')
send(p, 'not outgoing', sender='someone@elsewhere.example')
send(p, 'not outgoing, no milter', port=p.silent, sender='someone@elsewhere.example')
send(p, 'silent', port=p.silent)
send(p, 'silent too', to=('kunde@alpha.example', 'b@alpha.example'), port=p.silent)
send(p, 'submission', port=p.submission)
send(p, 'filtered', port=p.filtered)
send(p, 'bounced', to=('x@bounce.example',))
send(p, 'later', to=('x@later.example',))
send(p, 'copied', to=('copied@alpha.example',))
send(p, 'aliased', to=('aliased@alpha.example',))
send(p, 'renamed', sender='www@web1.elsewhere.example')
send(p, 'redirected')
p.local('local')
m.tool('held', 'release', MTA['released'], '--why', 'asked')
tap.same(m.code, 0, 'one is released by a decision')
m.tool('held', 'return', MTA['returned'], '--why', 'wrong')
tap.same(m.code, 0, 'one is returned to its sender')
send(p, 'copied too', WRONG, ('copied@alpha.example', 'kunde@alpha.example'))
wait_for(lambda: MTA['copied too'] in p.held())
out = m.tool('held', 'release', MTA['copied too'], '--to', 'copied@alpha.example', '--others', '1')
tap.same(m.code, 0, 'one is released to one of two')
MTA['copied, released'] = out.split('taken by the MTA as ')[-1].split()[0]
subprocess.run(['postsuper', '-c', p.etc, '-H', MTA['let go']], stderr=subprocess.DEVNULL)
subprocess.run(['postsuper', '-c', p.etc, '-r', MTA['put back by hand'], 'hold'], stderr=subprocess.DEVNULL)
subprocess.run(['postsuper', '-c', p.etc, '-r', MTA['later']], stderr=subprocess.DEVNULL)
p.flush()
for word in ('released', 'let go', 'put back by hand', 'filtered', 'silent too', 'submission'):
    tap.same(p.arrived('Subject: ' + word), 1, '%s has arrived' % word)
again = re.search(r'(\w+): uid=\d+ from=<[^>]*> orig_id=' + MTA['put back by hand'], p.log())
MTA['put back by hand'] = again.group(1) if again else '?'
p.set(smtpd_milters='', non_smtpd_milters='')
send(p, 'emptied')
p.local('emptied, local')
p.set(smtpd_milters='unix:' + m.socket, non_smtpd_milters='unix:' + m.socket, milter_default_action='accept')
send(p, 'right again')
m.stop()
send(p, 'failed open')
m.start()
send(p, 'right at last')
for word in ('emptied', 'failed open', 'right at last'):
    p.arrived('Subject: ' + word)
wait_for(lambda: p.log().count(MTA['right at last'] + ': removed'))
LOG = p.dir + '/log/maillog'
PLANTED = {
    'silent': ('bypass', 1, 'listener'), 'silent too': ('bypass', 2, 'listener'),
    'submission': ('bypass', 1, 'the listener submission/smtpd shows the filter no mail'),
    'emptied': ('bypass', 1, 'emptied (smtpd_milters)'),
    'emptied, local': ('bypass', 1, 'emptied (non_smtpd_milters)'),
    'failed open': ('bypass', 1, 'fail-open'),
    'let go': ('against-verdict', 1, 'taken off hold by hand'),
    'put back by hand': ('against-verdict', 1, 'held'),
    'copied': ('added', 1, 'always_bcc'),
    'copied, released': ('added', 1, 'always_bcc'),
    'redirected': ('bypass', 1, 'REDIRECT'),
    'renamed': ('bypass', 1, 'or a sender whom sender_canonical_maps or masquerade_domains made another'),
}
result = check(p, [LOG], PLANTED, made=['bounced'])
why = {name: rows(result)[MTA[name]][0][2] for name in PLANTED}
for name, word in (('silent', 'receive_override_options of service 127.0.0.1:%d (master.cf) has no_milters' % p.silent),
                   ('submission', 'smtpd_milters of service 127.0.0.1:%d (master.cf) does not name' % p.submission),
                   ('failed open', 'milter_default_action = accept')):
    tap.ok('as it is configured now: ' in why[name] and word in why[name], 'Postfix: ... %s: and what postconf says' % name, why[name])
tap.ok('configured now' not in why['redirected'], '... which is not asked of what never depends on it', why['redirected'])
tap.ok('non_smtpd' not in why['emptied, local'].partition('configured now')[2], '... which is not said of what is right again',
       why['emptied, local'])
tap.ok(result['released'] == 1 and result['own'] == 1 and result['one_with_judged'] >= 2,
       'what was released, what is ours and what a content filter gave back is known as that', result)
tap.same((result['in_place_of_judged'], MTA['aliased'] in rows(result)), (2, False),
         'to how many it went in the place of one who was judged is told, and no message for it')
tap.ok('in the place of a recipient who was judged (an alias, a forward, REDIRECT of a table): 2\n' in m.tool('audit', 'reconcile', LOG),
       '... in words, too')

# The same log in other forms, packed, rotated, in any order: the same is told.
lines = p.log().splitlines(True)
year, zone = time.strftime('%Y'), time.strftime('%z')
MONTHS = ('Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec')


def iso(line):
    month, day, clock, rest = line.split(None, 3)
    return '%s-%02d-%02dT%s.5%s:%s %s' % (year, MONTHS.index(month) + 1, int(day), clock, zone[:3], zone[3:], rest)


def export(line):
    month, day, clock, host, rest = line.rstrip('\n').split(None, 4)
    at = time.mktime(time.strptime('%s %s %s %s' % (year, month, day, clock), '%Y %b %d %H:%M:%S'))
    ident, pid, text = re.match(r'([^\[]+)\[(\d+)\]: (.*)', rest).groups()
    size = len(text.encode()).to_bytes(8, 'little')
    return ('__REALTIME_TIMESTAMP=%d000000\n_HOSTNAME=%s\nSYSLOG_IDENTIFIER=%s\nSYSLOG_PID=%s\n' % (
        at, host, ident, pid)).encode() + b'MESSAGE\n' + size + text.encode() + b'\n\n'


def write(name, data):
    with open(S + '/' + name, 'wb') as f:
        f.write(data)
    return S + '/' + name


check(p, [write('iso.log', ''.join(map(iso, lines)).encode())], PLANTED, ['bounced'], ' (RFC 3339)')
check(p, [write('journal.export', b''.join(map(export, lines)))], PLANTED, ['bounced'], ' (journal)')
third = len(lines) // 3
one, two, three = (''.join(lines[i:j]).encode() for i, j in ((0, third), (third, 2 * third), (2 * third, None)))
files = [write('mail.log', three), write('mail.log.2.xz', lzma.compress(one)), write('mail.log.1.gz', gzip.compress(two))]
check(p, files, PLANTED, ['bounced'], ' (rotated, packed)')

# What cannot be known is told as not known.
cut = reconcile(write('cut.gz', gzip.compress(p.log().encode())[:-300]))
tap.ok(any('cut.gz' in x for x in cut['not_known']), 'a packed log that was cut is told', cut['not_known'])
hole = reconcile(write('hole.log', ''.join(x for x in lines if MTA['right'] not in x and MTA['kept'] not in x).encode()))
old = reconcile(write('old.log', ''.join(map(iso, lines)).replace(year + '-', '2019-').encode()))
tap.ok(not any(r['what'] == 'bypass' for r in old['rows']) and m.code == 2 and old['not_known'],
       'a log of another year is not known', old['rows'])
german = reconcile(write('german.log', re.sub(r'(?m)^\w{3}', 'Dez', p.log()).encode()))
tap.ok(german['messages'] == 0 and any('names of months' in x for x in german['not_known']) and m.code == 2,
       'a log in another language is told', german['not_known'])
tap.ok('cannot' in m.tool('audit', 'reconcile', '/nowhere.log') or m.code != 0, 'a log that is not there is told')
for ago in '1970-01-02', '1970-01-02 00:00', '1d':
    since = reconcile(LOG, more=('--since', ago))
    tap.same(len(since['rows']), len(result['rows']), 'since %s all of it is told' % ago)
later = reconcile(LOG, more=('--since', datetime.datetime.now().isoformat(), '--record'))
tap.same(later['rows'], [], '... and since later nothing')
tap.ok('still to come' in m.tool('audit', 'reconcile', '--since', '2100-01-01', LOG) and m.code == 64,
       'a day to come is a typing error, not "all is well"')
tap.ok(any(x.get('event') == 'reconcile' for x in m.audit(events=True)), 'what was found is in the trail')
os.rename(m.state + '/audit', m.state + '/kept')
lost = reconcile(LOG)
tap.ok(not any(r['what'] == 'bypass' for r in lost['rows']) and any('no trail' in x for x in lost['not_known']),
       'without a trail nothing is called a bypass', lost['rows'])
shutil.rmtree(m.state + '/audit', ignore_errors=True)
os.rename(m.state + '/kept', m.state + '/audit')
p.stop()


# ---- Sendmail ------------------------------------------------------------------------------------
class Logged(Sendmail):
    """With a /dev/log of its own, which this process reads."""

    def listen(self):
        self.maillog = S + '/sendmail.log'
        self.logger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.logger.bind(S + '/log.sock')
        os.chmod(S + '/log.sock', 0o777)
        threading.Thread(target=self.write_log, daemon=True).start()

    def write_log(self):
        with open(self.maillog, 'w', buffering=1) as f:
            while True:
                data = self.logger.recv(65536).decode(errors='replace').strip('\0\n')
                stamp, rest = re.match(r'<\d+>(\w{3} [ \d]\d [\d:]{8}) (.*)', data, re.S).groups()
                f.write('%s mx %s\n' % (stamp, rest))

    def run_as(self, how, *args, **more):
        script = ('d=%s/dev; mkdir -p $d; mount -t tmpfs none $d; for n in null zero random urandom; do'
                  ' touch $d/$n; mount --bind /dev/$n $d/$n; done; mkdir $d/shm; mount --bind /dev/shm $d/shm; ln -s %s/log.sock $d/log; mount --move $d /dev;'
                  ' hostname mx.seller.example; exec "$@"' % (S, S))
        return how(['unshare', '--uts', '--mount', 'sh', '-c', script, 'sh', 'setpriv', '--reuid', 'nobody', '--regid',
                    'nogroup', '--clear-groups', self.binary, '-C', self.dir + '/sendmail.cf', *args], **more)

    def log(self):
        with open(self.maillog) as f:
            return f.read()


def sendmail_part():
    s = Logged(S, 'unix:' + m.socket)
    why = s.unpack() if os.geteuid() == 0 else 'it needs root for a host name of its own'
    if why:
        tap.skip('Sendmail', why)
        return
    s.silent = free_port()
    sendmail.MC = sendmail.MC.replace("Name=MTA')dnl", "Name=MTA')dnl\nDAEMON_OPTIONS(`Family=inet, Addr=127.0.0.1, "
                                      "Port=%d, Name=SILENT, InputMailFilters=')dnl" % s.silent)
    sendmail.MC = sendmail.MC.replace(', F=T,', ',')
    s.listen()
    s.start()
    m.more = m.more.replace(p.settings(), s.settings()).replace(':%d"' % p.port, ':%d"' % s.port)
    m.write_conf()
    send(s, 'right')
    hold(s, 'kept')
    hold(s, 'released')
    hold(s, 'let go')
    many = ['k%d@beta.example' % i for i in range(90)]  # Sendmail makes three of it
    send(s, 'split', WRONG, [*many, 'kunde@alpha.example'], sender='split@seller.example')
    send(s, 'refused', WRONG, sender='reject@seller.example')
    send(s, 'silent', port=s.silent)
    s.run_as(subprocess.run, '-f', 'billing@seller.example', '-oi', 'kunde@alpha.example', text=True,
             input=message('local', RIGHT).replace('\r\n', '\n'))
    m.tool('held', 'release', MTA['released'], '--why', 'asked')
    tap.same(m.code, 0, 'Sendmail: one is released by a decision')
    tap.same(s.arrived('Subject: split', 3), 3, 'Sendmail: one that it splits goes as three')
    s.run_as(subprocess.run, '-qQ', '-qI' + MTA['let go'], '-Q', stdout=subprocess.DEVNULL)
    s.flush()
    for word in ('released', 'let go', 'silent', 'local'):
        tap.same(s.arrived('Subject: ' + word), 1, 'Sendmail: %s has arrived' % word)
    m.stop()
    send(s, 'failed open')
    m.start()
    send(s, 'right at last')
    s.arrived('Subject: right at last')
    wait_for(lambda: MTA['right at last'] + ': to=' in s.log())
    local = re.search(r'(\w+): from=.*relay=nobody@localhost', s.log())
    MTA['local'] = local.group(1) if local else '?'
    check(s, [s.maillog], {
        'silent': ('bypass', 1, 'the listener SILENT shows the filter no mail'),
        'local': ('bypass', 1, 'local submission'),
        'failed open': ('bypass', 1, 'fail-open'),
        'let go': ('against-verdict', 1, 'by hand'),
    })
    why = [r['why'] for r in reconcile(s.maillog)['rows'] if r['queue_id'] == MTA['silent']][0]
    tap.ok('DaemonPortOptions=' in why and 'Name=SILENT' in why, 'Sendmail: ... and what sendmail.cf says', why)
    s.stop()


sendmail_part()
m.stop()
tap.done()
