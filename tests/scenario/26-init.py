"""missent init: from an MTA without a filter to one that is observed, in one command, on Postfix and on Sendmail; on odd
hosts too; taken back to the byte, also after a kill in the middle."""
from sendmail import *

tap = Tap()
S = scratch_folder()
if os.geteuid() != 0:
    tap.skip('missent init', 'only root changes the settings of an MTA')
    tap.done()
if not shutil.which('postfix'):
    tap.skip('missent init', 'there is no Postfix')
    tap.done()

LINE = 'Nov 26 12:%02d:%02d mx postfix/%s[%d]: %s\n'


def mail_log(path, mails):
    """As Postfix writes it: (sender, client, recipient)."""
    with open(path, 'w') as f:
        for i, (sender, client, to) in enumerate(mails):
            name = '4FXpR2nhgz%03d' % i
            f.write(LINE % (i // 60, i % 60, 'smtpd', 7, '%s: client=app[%s]' % (name, client)))
            f.write(LINE % (i // 60, i % 60, 'qmgr', 8, '%s: from=<%s>, size=300, nrcpt=1 (queue active)' % (name, sender)))
            f.write(LINE % (i // 60, i % 60, 'smtp', 9, '%s: to=<%s>, relay=x.example[192.0.2.9]:25, delay=1, delays=0/0/0/1, '
                            'dsn=2.0.0, status=sent (250 ok)' % (name, to)))
            f.write(LINE % (i // 60, i % 60, 'qmgr', 8, '%s: removed' % name))


class Host:
    """A folder of missent's, as a person left it who knows where things are, and a tool."""

    def __init__(self, name, more):
        self.dir = S + '/' + name
        self.conf = self.dir + '/etc/missent.conf'
        os.makedirs(self.dir + '/etc')
        os.makedirs(self.dir + '/state')
        shutil.chown(self.dir + '/state', USER)
        with open(self.conf, 'w') as f:
            f.write('# ours\nmode = observe   # for now\nsocket = "unix:%s/missent.sock"\nsocket-mode = "0666"\nuser = "%s"\n'
                    'state-dir = "%s/state"\nhost = "mx.seller.example"\n%s\n# readers\nreader { program = "%s/missent-reader" }\n'
                    'desk { socket = "%s/agent.sock" }\n' % (self.dir, USER, self.dir, more, BUILD, self.dir))
        shutil.chown(self.dir, USER)
        self.sides = {}
        atexit.register(self.end)

    def remember(self, *paths):
        for path in (self.conf, *paths):
            with open(path, 'rb') as f:
                self.sides[path] = (f.read(), os.stat(path).st_mode, os.stat(path).st_uid)

    def is_as_before(self):
        return [x for x, (data, mode, uid) in self.sides.items()
                if open(x, 'rb').read() != data or (os.stat(x).st_mode, os.stat(x).st_uid) != (mode, uid)]

    def run(self, *args, stdin=None):
        done = subprocess.run([BUILD + '/missent', '-c', self.conf, *args], stdin=None if stdin else subprocess.DEVNULL, input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.code = done.returncode
        return done.stdout

    def init(self, *args):
        return self.run('init', *args)

    def end(self):
        if os.path.isdir(self.dir + '/etc/undo'):
            self.init('--undo', '--yes')


def text(path):
    with open(path) as f:
        return f.read()


# ---- Postfix, from nothing to observed ----
p = Postfix(S, '', networks='[::1]/128 10.7.0.0/16')
p.start()
h = Host('first', 'postfix-config = "%s"\nrelease-program = "%s/missent-release"' % (p.etc, BUILD))
mail_log(S + '/mail.log', [('rechnung@seller.example', '10.7.0.2', 'a@alpha.example')] * 5
         + [('anna@seller.example', '10.7.0.3', 'b@beta.example')] * 7 + [('spam@other.example', '203.0.113.9', 'anna@seller.example')] * 20)
with open(S + '/customers.csv', 'w') as f:
    f.write('account,kind,value\n' + ''.join('%s,%s,"%s"\n' % r for r in MAPPING))
h.remember(p.etc + '/main.cf', p.etc + '/master.cf')
dry = h.init('--dry-run', '--mail-log', S + '/mail.log')
tap.ok(h.code == 0 and '+smtpd_milters = ' in dry and '+++ %s/main.cf' % p.etc in dry, 'a dry run shows every line', dry)
tap.same((h.is_as_before(), os.path.exists(h.dir + '/etc/undo')), ([], False), '... and changes nothing')
out = h.init('--mail-log', S + '/mail.log')
tap.ok(h.code == 1 and 'nothing was changed' in out and not h.is_as_before(), 'nobody says yes: nothing is changed', out)
with open(S + '/answers', 'w') as f:
    f.write('customers = "%s/customers.csv"\n' % S)
out = h.init('--yes', '--answers', S + '/answers', '--mail-log', S + '/mail.log')
tap.ok(h.code == 0, 'missent init --yes', out)
conf, policy = text(h.conf), text(h.dir + '/etc/policies/invoices.conf')
tap.ok('networks = {"10.7.0.0/16"}' in conf and 'sender-domains = {"seller.example"}' in conf,
       'what is outgoing: by mynetworks, and by the log of what was sent', conf)
tap.ok('sender  = {"rechnung@seller.example"}' in policy, 'who sends invoices, by the log', policy[:400])
tap.ok('mode = observe   # for now' in conf and conf.startswith('# ours\n'), 'what a person wrote stays', conf)
tap.ok(out.count('seen    ') == 2 and 'smtp://127.0.0.1:%d' % p.port in out, 'its own mail was seen, over SMTP and of local programs', out)
tap.same(subprocess.run(['postconf', '-c', p.etc, '-h', 'smtpd_milters'], stdout=subprocess.PIPE, text=True).stdout.strip(),
         'unix:%s/missent.sock' % h.dir, 'Postfix asks it')
code, reply = p.send(message('wrong one', WRONG), sender='rechnung@seller.example')
tap.ok(code == 250 and p.arrived('wrong one') == 1, 'wrong mail is delivered', reply)
tap.ok(wait_for(lambda: '10002' not in h.run('held', 'list', '--observed')
                and queue_id((code, reply)) in h.run('held', 'list', '--observed')), '... and on record as what would be held')
tap.same([x for x in p.delivered() if 'canary' in x], [], 'no mail of its own went anywhere')
tap.same(h.run('directory', 'lookup', 'recipient', 'x@seller.example').strip(), 'account house', 'your own domain is the house')
for name, more, code in (('good', '', 0), ('bad', 'AC-9,no-such-kind,1\n' * 50, 65)):
    shutil.copy(S + '/customers.csv', '%s/%s.csv' % (S, name))
    with open('%s/%s.csv' % (S, name), 'a') as f:
        f.write(more)
    with open('%s/%s.answers' % (S, name), 'w') as f:
        f.write('customers = "%s/%s.csv"\n' % (S, name))
    out = h.init('--dry-run', '--answers', '%s/%s.answers' % (S, name), '--mail-log', S + '/mail.log')
    tap.ok(h.code == code, 'a dry run with %s customers ends as their import would' % name, (h.code, out[-600:]))
doctor = json.loads(h.run('doctor', '--json'))
tap.same([x for x in doctor['complaints'] if x['check'].startswith('postfix') or x['check'] in (
    'outgoing', 'policies', 'daemon', 'agent', 'directory', 'house')], [], 'the doctor finds nothing that init left open')
probe = h.run('doctor', '--only', 'probe', '--probe')
tap.ok(h.code == 0, 'missent doctor --probe', probe)
with open(p.etc + '/master.cf') as f:
    master = f.read()
silent = free_port()
with open(p.etc + '/master.cf', 'w') as f:
    f.write(master + '127.0.0.1:%d inet n - n - - smtpd\n  -o receive_override_options=no_milters\n' % silent)
subprocess.run(['postfix', '-c', p.etc, 'reload'], stderr=subprocess.DEVNULL)
wait_for(lambda: listens(silent))
with open(h.conf, 'w') as f:
    f.write(conf.replace('listeners = {', 'timeout = 3s\n\tlisteners = {"smtp://127.0.0.1:%d", ' % silent))
probe = h.run('doctor', '--only', 'probe', '--probe')
tap.ok(h.code == 2 and 'did not show it to the filter' in probe and str(silent) in probe, '... finds the way in that shows it nothing',
       probe)
for path, old in ((h.conf, conf), (p.etc + '/master.cf', master)):
    with open(path, 'w') as f:
        f.write(old)
again = h.init('--yes', '--mail-log', S + '/mail.log')
tap.ok(h.code == 0 and 'All files are as they shall be' in again and '+++' not in again, 'once more: nothing to change', again)
with open(h.conf) as f:
    observing = f.read()
with open(h.conf, 'w') as f:
    f.write(observing.replace('mode = observe', 'mode = enforce'))
enforcing = h.init('--yes')
tap.ok('policies enforce, as ' in enforcing and 'missent observes' not in enforcing, '... by settings that enforce it does not say that it observes',
       enforcing)
with open(h.conf, 'w') as f:
    f.write(observing)
out = h.init('--undo', '--yes')
tap.ok(h.code == 0 and 'Taken back' in out, 'missent init --undo', out)
tap.same(h.is_as_before(), [], '... to the byte, with mode and owner')
tap.ok(not os.path.exists(h.dir + '/etc/policies/invoices.conf') and not os.path.exists(h.dir + '/etc/undo')
       and os.path.exists(h.dir + '/etc/site.key'), '... without what was not there; the key and the records stay')
tap.ok(wait_for(lambda: subprocess.run(
    ['pgrep', '-f', h.conf], stdout=subprocess.PIPE).returncode != 0), '... and its programs have ended')
code, reply = p.send(message('after', RIGHT))
tap.ok(code == 250 and p.arrived('after') == 1, '... and mail goes on', reply)
out = h.init('--undo', '--yes')
tap.ok(h.code == 1 and 'nothing' in out, 'there is nothing more to take back', out)

# ---- a kill in the middle, wherever ----
bad = []
for i in range(9):
    child = subprocess.Popen([BUILD + '/missent', '-c', h.conf, 'init', '--yes', *(['--no-start'] if i < 8 else [])],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: os.path.isdir(h.dir + '/etc/undo') or child.poll() is not None, step=0.001)
    if i < 8:
        time.sleep(0.04 * i)
    else:  # one that has started its daemon
        wait_for(lambda: any('\nmissentd=' in text(x) for x in glob.glob(h.dir + '/etc/undo/1/done')) or child.poll() is not None,
                 step=0.001)
    child.kill()
    child.wait()
    for path, (data, mode, uid) in h.sides.items():
        now = open(path, 'rb').read()
        if now != data and b'missent' not in now:
            bad.append((i, path))
    for plan in glob.glob(h.dir + '/etc/undo/*'):
        if not os.path.exists(plan + '/journal') and os.path.basename(plan) != 'new':
            bad.append((i, plan))
    out = h.init('--undo', '--yes')
    if h.is_as_before() or os.path.exists(h.dir + '/etc/policies/invoices.conf'):
        bad.append((i, out, h.is_as_before()))
tap.same(bad, [], 'killed at any moment: every file is whole, and --undo takes all of it back')
child = subprocess.Popen([BUILD + '/missent', '-c', h.conf, 'init', '--yes', '--no-start'], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
wait_for(lambda: os.path.isdir(h.dir + '/etc/undo/1') or child.poll() is not None, step=0.005)
child.kill()
child.wait()
out = h.init('--yes', '--no-start')
tap.ok(h.code == 0 and 'ended in the middle' in out, 'after a kill, missent init goes on from the beginning', out)

# ---- what a person changes meanwhile ----
with open(p.etc + '/main.cf', 'a') as f:
    f.write('\n# a person was here\nmaximal_queue_lifetime = 3d\n')
out = h.init('--undo', '--yes')
tap.ok(h.code == 0 and text(p.etc + '/main.cf') == h.sides[p.etc + '/main.cf'][0].decode()
       + '\n# a person was here\nmaximal_queue_lifetime = 3d\n', 'what was edited since stays, without what init did', out)
with open(p.etc + '/main.cf', 'w') as f:
    f.write(h.sides[p.etc + '/main.cf'][0].decode())
h.init('--yes', '--no-start')
changed = text(p.etc + '/main.cf').replace('smtpd_milters = unix', 'smtpd_milters = inet:127.0.0.1:9 unix')
with open(p.etc + '/main.cf', 'w') as f:
    f.write(changed)
out = h.init('--undo', '--yes')
tap.ok(h.code == 65 and 'in the same lines' in out and text(p.etc + '/main.cf') == changed, '... in the same lines: shown, and left',
       out)
with open(p.etc + '/main.cf', 'w') as f:
    f.write(changed.replace('inet:127.0.0.1:9 ', ''))
h.init('--undo', '--yes')
tap.same(h.is_as_before(), [], '... until they are as they were')
p.stop()

# ---- odd hosts: the files alone ----
BASE = text(p.etc + '/main.cf')
with open(S + '/networks', 'w') as f:
    f.write('# ours\n192.0.2.0/24 the office\n[2001:db8::]/32\n')
with open(S + '/table', 'w') as f:
    f.write('10.9.9.9 OK\n10.9.9.10 OK\n')
subprocess.run(['postmap', '-c', p.etc, 'hash:' + S + '/table'], check=True)
with open(S + '/nets.cidr', 'w') as f:
    f.write('198.51.100.0/25 OK\n198.51.100.128/25 REJECT\n')
OURS = 'unix:%s/missent.sock'
MASTER = text(p.etc + '/master.cf')
SUBMISSION = 'submission inet n - n - - smtpd\n  # by those who log in\n  -o syslog_name=postfix/submission\n' \
    '  -o smtpd_sasl_auth_enable=yes\n'
for name, main, master, want, networks in (
        ('milters that sign and scan keep their order', 'smtpd_milters = inet:127.0.0.1:8891, inet:127.0.0.1:11332\n'
         'non_smtpd_milters = $smtpd_milters\nmilter_default_action = accept\n', '',
         {'smtpd_milters': 'inet:127.0.0.1:8891, inet:127.0.0.1:11332, {OURS,default_action=tempfail}',
          'non_smtpd_milters': 'inet:127.0.0.1:8891, inet:127.0.0.1:11332, {OURS,default_action=tempfail}',
          'milter_default_action': 'accept'}, None),
        ('names for milters', 'dkim = inet:127.0.0.1:8891\nsmtpd_milters = $dkim\nnon_smtpd_milters = $dkim\n', '',
         {'smtpd_milters': 'inet:127.0.0.1:8891 OURS', 'non_smtpd_milters': 'inet:127.0.0.1:8891 OURS'}, None),
        ('several listeners', 'mua_milters = inet:127.0.0.1:8891\n', SUBMISSION + '  -o smtpd_milters=$mua_milters\n'
         '465 inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n  -o smtpd_sasl_auth_enable=yes\n  -o smtpd_milters=\n'
         '127.0.0.1:10025 inet n - n - - smtpd\n  -o smtpd_milters=\n'
         '26 inet n - n - - smtpd\n  -o smtpd_milters=\n  -o smtpd_relay_restrictions=reject_unauth_destination\n',
         {'smtpd_milters': 'OURS', 'submission/inet/smtpd_milters': 'inet:127.0.0.1:8891,OURS', '465/inet/smtpd_milters': 'OURS',
          '127.0.0.1:10025/inet/smtpd_milters': '', '26/inet/smtpd_milters': ''}, None),
        ('too little time, and an old protocol', 'milter_content_timeout = 20s\nmilter_protocol = 2\nenable_long_queue_ids = no\n', '',
         {'smtpd_milters': '{OURS,content_timeout=300s,protocol=6}', 'enable_long_queue_ids': 'yes',
          'milter_protocol': '2'}, None),
        ('values over several lines, with comments', 'smtpd_milters =\n  inet:127.0.0.1:8891,\n  # signs\n  inet:127.0.0.1:8892\n', '',
         {'smtpd_milters': 'inet:127.0.0.1:8891, inet:127.0.0.1:8892, OURS'}, None),
        ('mynetworks of files, tables and IPv6', 'mynetworks = 127.0.0.0/8, [::1]/128, [fd00:7::]/32, %s/networks, hash:%s/table, '
         'cidr:%s/nets.cidr, 10.1.2.3\n' % (S, S, S), '', {'smtpd_milters': 'OURS'},
         ['fd00:7::/32', '192.0.2.0/24', '2001:db8::/32', '10.9.9.9', '10.9.9.10', '198.51.100.0/25', '10.1.2.3']),
        ('a service in a chroot', '', '2527 inet n - y - - smtpd\n', {'smtpd_milters': 'OURS'}, None)):
    n = len(glob.glob(S + '/odd*'))
    etc = S + '/odd%d' % n
    os.makedirs(etc)
    with open(etc + '/main.cf', 'w') as f:  # a name that stands twice is the last one's
        keys = re.findall(r'(?m)^(\w+) =', main)
        f.write(''.join(x for x in BASE.replace(p.etc, etc).splitlines(True) if x.split(' =')[0] not in keys) + main)
    with open(etc + '/master.cf', 'w') as f:
        f.write(MASTER + master)
    for path in glob.glob(etc + '/*'):
        os.utime(path, (1, 1))  # Postfix waits for one that was written a moment ago
    odd = Host('host%d' % n, 'postfix-config = "%s"' % etc)
    odd.remember(etc + '/main.cf', etc + '/master.cf')
    out = odd.init('--yes', '--no-start')
    got = {}
    for option in ('-x', '-Px'):
        for line in subprocess.run(['postconf', '-c', etc, option], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   text=True).stdout.splitlines():
            got[line.split(' =')[0]] = line.split('=', 1)[1].strip()
    want = {k: v.replace('OURS', OURS % odd.dir) for k, v in want.items()}
    tap.ok(odd.code == 0 and {k: got.get(k) for k in want} == want, 'an odd host: ' + name,
           '%s\n%s' % (out[-1500:], '\n'.join('%s\n  got  %s\n  want %s' % (k, got.get(k), v) for k, v in want.items())))
    if networks:
        found = re.search(r'networks = \{(.*?)\}', text(odd.conf)).group(1).replace('"', '').split(', ')
        tap.same(sorted(found), sorted(networks), '... all that they mean is outgoing')
    again = odd.init('--dry-run')
    tap.ok('+++' not in again, '... once more: nothing to change', again)
    odd.init('--undo', '--yes')
    tap.same(odd.is_as_before(), [], '... taken back to the byte')

# Several instances: which is asked, and one that is turned off is none.
main, out_cf, off = S + '/multi', S + '/multi-out', S + '/multi-off'
for etc, more in ((main, 'multi_instance_enable = yes\nmulti_instance_directories = %s %s\n' % (out_cf, off)),
                  (out_cf, 'multi_instance_name = postfix-out\nmulti_instance_enable = yes\n'),
                  (off, 'multi_instance_name = postfix-off\nmulti_instance_enable = no\n')):
    os.makedirs(etc)
    with open(etc + '/main.cf', 'w') as f:
        f.write(BASE.replace(p.etc, etc) + more)
    shutil.copy(p.etc + '/master.cf', etc + '/master.cf')
    os.utime(etc + '/main.cf', (1, 1))
many = Host('many', 'postfix-config = "%s"' % main)
many.remember(main + '/main.cf', out_cf + '/main.cf', off + '/main.cf')
out = many.init('--dry-run')
tap.ok('There are:' in out and out_cf + ' postfix-out' in out and off not in out, 'several instances: all that are on are named', out)
with open(S + '/multi.answers', 'w') as f:
    f.write('mta-config = "%s"\nsenders = {"billing@seller.example"}\ndomains = {"seller.example"}\n' % out_cf)
out = many.init('--yes', '--no-start', '--answers', S + '/multi.answers')
tap.ok(many.code == 0 and many.is_as_before() == [many.conf, out_cf + '/main.cf'] and 'postfix-config = "%s"' % out_cf in text(many.conf),
       '... and the one that is chosen is changed, no other', '%s\n%s' % (out, many.is_as_before()))
many.init('--undo', '--yes')
tap.same(many.is_as_before(), [], '... taken back to the byte')

# ---- mistakes ----
with open(S + '/bad.answers', 'w') as f:
    f.write('network = {"10.0.0.0/8"}\n')
out = many.init('--yes', '--answers', S + '/bad.answers')
tap.ok(many.code == 78 and 'did you mean "networks"' in out, 'an answer to no question: the nearest is named', out)
with open(S + '/bad.answers', 'w') as f:
    f.write('senders = {"Billing <billing@seller.example>"}\n')
out = many.init('--yes', '--answers', S + '/bad.answers')
tap.ok(many.code == 78 and ':1: senders' in out and 'write' in out, 'an answer that is none: place, fault, remedy', out)
out = subprocess.run(['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', BUILD + '/missent', 'init', '--yes'],
                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
tap.ok(out.returncode == 77 and 'as root' in out.stdout, 'not as root: said', out.stdout)
with open(many.conf) as f:
    old = f.read()
with open(many.conf, 'w') as f:
    f.write(old.replace('mode', 'mdoe'))
out = many.init('--yes')
tap.ok(many.code == 78 and 'did you mean "mode"' in out, 'a missent.conf with a mistake is not built upon', out)
with open(many.conf, 'w') as f:
    f.write(old)
with open(many.dir + '/etc/customers.csv', 'w') as f:
    f.write('account,kind,value\nA,customer-number,"C-1\n')
with open(S + '/bad.answers', 'w') as f:
    f.write('senders = {"billing@seller.example"}\ncustomers = "%s/etc/customers.csv"\n' % many.dir)
out = many.init('--yes', '--no-start', '--answers', S + '/bad.answers')
tap.ok(many.code != 0 and 'all is as it was' in out and not many.is_as_before() and not os.path.exists(many.dir + '/etc/undo'),
       'a step that fails takes back those before', out)

# ---- Sendmail ----
sendmail = Sendmail(S + '/second', None)
why = sendmail.unpack()
if why:
    tap.skip('Sendmail', why)
else:
    sendmail.start()
    g = Host('sendmail', re.sub('(?m)^sendmail-config.*\n', '', sendmail.settings()) + 'sendmail-config = "%s/sendmail.cf"'
             % sendmail.dir)
    MC, CF = sendmail.dir + '/sendmail.mc', sendmail.dir + '/sendmail.cf'
    with open(CF, 'a') as f:  # the last as Debian's make does
        f.write('# by hand\n\n### %s ###\n' % MC + ''.join('# %s\n' % line for line in text(MC).splitlines()))
    g.remember(MC, CF)
    with open(S + '/sm.answers', 'w') as f:
        f.write('senders = {"billing@seller.example"}\ndomains = {"seller.example"}\ncustomers = "%s/customers.csv"\n' % S)
    out = g.init('--yes', '--no-start', '--answers', S + '/sm.answers')
    tap.ok(g.code == 0 and "INPUT_MAIL_FILTER(`missent', `S=unix:%s/missent.sock, F=T" % g.dir in text(MC), 'Sendmail: a line in '
           'sendmail.mc', out)
    tap.ok('O InputMailFilters=missent' in text(CF) and 'Xmissent, S=unix:%s/missent.sock, F=T' % g.dir in text(CF),
           '... and the sendmail.cf that m4 makes of it')
    tap.ok(text(CF).endswith('# by hand\n\n### %s ###\n' % MC + ''.join('# %s\n' % line for line in text(MC).splitlines()))
           and not re.search('(?m)^-# ', out), '... with the comments that are there, and the copy of the former below them', out)
    sendmail.stop()
    sendmail.start_sink()
    sendmail.process = sendmail.run_as(subprocess.Popen, '-bD', '-q2s')
    wait_for(lambda: listens(sendmail.port) and listens(sendmail.sink_port), 30)
    out = g.init('--yes')
    tap.ok(g.code == 0 and out.count('seen    ') == 1, '... its own mail was seen', out)
    code, reply = sendmail.send(message('wrong two', WRONG))
    tap.ok(code == 250 and sendmail.arrived('wrong two') == 1 and queue_id_of((code, reply)) in g.run('held', 'list', '--observed'),
           '... and wrong mail is on record', reply)
    out = g.init('--undo', '--yes')
    tap.ok(g.code == 0 and not g.is_as_before(), '... taken back to the byte', out)
    # Filters that are there stay before it; a sendmail.cf that somebody edited is not made anew.
    with open(CF) as f:
        cf = f.read()
    filters = cf.replace('\nMsmtp,', '\nO InputMailFilters=dkim\nXdkim, S=inet:8891@127.0.0.1, F=A\nMsmtp,', 1)
    tap.ok(filters != cf, '(a filter that signs)')
    with open(CF, 'w') as f:
        f.write(filters)
    g.sides = {}
    g.remember(MC, CF)
    out = g.init('--yes', '--no-start', '--answers', S + '/sm.answers')
    tap.ok(g.code == 0 and 'O InputMailFilters=dkim, missent\n' in text(CF) and 'is not what m4 makes' in out,
           'a sendmail.cf that was edited: its own lines are changed', out)
    g.init('--undo', '--yes')
    tap.same(g.is_as_before(), [], '... taken back to the byte')
    sendmail.stop()

tap.done()
