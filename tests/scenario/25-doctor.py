"""missent doctor: silent on installations that are right, on Postfix and on Sendmail; each thing that is broken is
found, and by its check."""
from milter import verdict
from sendmail import *

tap = Tap()
S = scratch_folder()
HELPER = S + '/missent-release'
found = set()  # checks that have shown that they find something


def host():
    """A helper with its right, as an installation has it."""
    shutil.copy(BUILD + '/missent-release', HELPER)
    shutil.chown(HELPER, 'root', 'nogroup')
    os.chmod(HELPER, 0o4750)


def more(agent, extra=''):
    return 'release-program = "%s"\ndesk { socket = "%s/agent.sock" }\n%s\n' % (HELPER, agent, extra)


def doctor(m, *args):
    """The names of the checks that complain, with what they say."""
    out = m.tool('doctor', '--json', *args)
    try:
        said = json.loads(out)
    except ValueError:
        return {'': [out]}
    complaints = {}
    for c in said['complaints']:
        complaints.setdefault(c['check'], []).append(c['gravity'] + ': ' + c['text'])
    if said['exit'] != m.code or (m.code == 0) == bool(complaints):
        complaints['exit'] = [str(m.code)]
    return complaints


def unsynchronised():
    done = subprocess.run([BUILD + '/missent', '-c', m.conf, 'doctor', '--only', 'clock'], stdout=subprocess.PIPE, text=True)
    return 'nothing keeps this host' in done.stdout


def accept(*names):
    return 'doctor { accept = {%s} }\n' % ', '.join('"%s"' % n for n in (*ACCEPTED, *names))


def broken(name, check, words='', *args):
    """It is found by `check` alone, with those words."""
    out = doctor(m, *args)
    found.add(check)
    return tap.ok(set(out) == {check} and any(words in x for x in out[check]), '%s: found by %s' % (name, check),
                  json.dumps(out, indent=1))


def age(path):
    """Postfix waits, in steps of a third of a second, until a file that was written a moment ago is older."""
    if path.endswith('.cf'):
        os.utime(path, (1, 1))


@contextlib.contextmanager
def changed(path, text=None, mode=None, owner=None):
    """A file, as long as it is another one."""
    st = os.stat(path)
    old = None
    if text is not None:
        with open(path) as f:
            old = f.read()
        with open(path, 'w') as f:
            f.write(text(old) if callable(text) else text)
        age(path)
    if owner is not None:
        os.chown(path, owner, -1)
    if mode is not None:
        os.chmod(path, mode)
    yield
    if old is not None:
        with open(path, 'w') as f:
            f.write(old)
        age(path)
    os.chown(path, st.st_uid, st.st_gid)
    os.chmod(path, st.st_mode & 0o7777)


def settings(text, *accepted):
    """missent.conf with more, or with sections that are written otherwise."""
    return changed(m.conf, lambda old: re.sub(r'(?s)doctor \{.*?\n', accept(*accepted), old) + text)


@contextlib.contextmanager
def postconf(*values):
    """main.cf with these; -M and -P of master.cf where a name has a slash."""
    with changed(p.etc + '/main.cf'), changed(p.etc + '/master.cf', lambda old: old):
        saved = open(p.etc + '/main.cf').read()
        for value in values:
            option = '-P' if '/' in value.split('=')[0] else '-e'
            subprocess.run(['postconf', '-c', p.etc, option, value], check=True)
            age(p.etc + '/main.cf')
            age(p.etc + '/master.cf')
        yield
        with open(p.etc + '/main.cf', 'w') as f:
            f.write(saved)
        age(p.etc + '/main.cf')


@contextlib.contextmanager
def service(text):
    """master.cf with one more."""
    with changed(p.etc + '/master.cf', lambda old: old + text):
        yield


if os.geteuid() != 0:
    tap.skip('doctor', 'only root sees what the doctor sees')
    tap.done()
if not shutil.which('postfix'):
    tap.skip('doctor', 'there is no Postfix')
    tap.done()

# ---- a good one, on Postfix ----
host()
ACCEPTED = []
m = Missent(S, more=more(S + '/missent'), mapping=MAPPING)
p = Postfix(S, 'unix:' + m.socket)
ACCEPTED = ['clock'] if unsynchronised() else []
m.more = p.settings() + more(S + '/missent', accept())
m.more = re.sub(r'release-program = "%s/.*\n' % BUILD, '', m.more)
m.write_conf()
m.chown()
m.start()
agent = Program(m, 'missent-agent')
agent.start()
p.start()
tap.same(doctor(m), {}, 'a good installation on Postfix: silence')
tap.same((m.tool('doctor', '-q'), m.code), ('', 0), '... also with -q')

# ---- what is judged at all ----
os.rename(m.dir + '/policies/test.conf', m.dir + '/policies/test.cfg')
said = m.tool('doctor')
tap.ok(set(doctor(m)) == {'policy-lint'} and 'there is no policy in it: no mail is judged' in said and 'test.cfg: ' in said,
       'a policy named .cfg: it is not read, and there is none', said)
found |= {'policy-lint'}
os.rename(m.dir + '/policies/test.cfg', m.dir + '/policies/test.conf')
with settings('outgoing { authenticated = no\n local = no }\n'):
    tap.ok('outgoing' in doctor(m), 'nothing is outgoing: found by outgoing')
    found.add('outgoing')
with settings('socket-group = "nosuchgroup"\n'):
    broken('a group that is not there', 'names', 'nosuchgroup')
with settings('', 'postfix-ordre'):
    broken('a check that is accepted under a wrong name', 'accepted', 'did you mean "postfix-order"?')

# ---- Postfix ----
with open(S + '/checks', 'w') as f:
    f.write('# /a/ REDIRECT a@b.example\n/^b/\n\tBCC c@d.example\n')
with open(S + '/quiet', 'w') as f:
    f.write('# /a/ REDIRECT a@b.example\n/^bcc .*@/ REJECT redirect it\n/^From: a@b.example/ WARN\n')
for name, values, check, words in (
        ('no milter for SMTP', ['smtpd_milters='], 'postfix-listeners', 'such mail is not judged'),
        ('no milter for local mail', ['non_smtpd_milters='], 'postfix-local', 'non_smtpd_milters'),
        ('a milter behind missent', ['smtpd_milters=unix:%s inet:127.0.0.1:1' % m.socket], 'postfix-order', 'inet:127.0.0.1:1'),
        ('mail goes out while missent is away', ['milter_default_action=accept'], 'postfix-action', 'unjudged'),
        ('mail is refused while missent is away', ['milter_default_action=reject'], 'postfix-action', 'refused'),
        ('the same in the braces of a milter', ['smtpd_milters={ unix:%s, default_action=accept }' % m.socket],
         'postfix-action', 'smtpd_milters'),
        ('too little time', ['milter_content_timeout=20s'], 'postfix-timeouts', '20s'),
        ('an old protocol', ['milter_protocol=2'], 'postfix-protocol', 'warning: milter_protocol = 2'),
        ('queue IDs that come again', ['enable_long_queue_ids=no'], 'postfix-queue-ids', 'again'),
        ('a network of clients that is not outgoing', ['mynetworks=127.0.0.0/8 10.1.0.0/16'], 'postfix-networks', '10.1.0.0/16'),
        ('clients without milters', ['smtpd_milter_maps=inline:{ 10.0.0.1=DISABLE }'], 'postfix-milter-maps', 'DISABLE'),
        ('a copy of all mail', ['always_bcc=archive@seller.example'], 'postfix-rewriting', 'always_bcc'),
        ('recipients that become others', ['virtual_alias_maps=inline:{ a@b.example=c@d.example }'], 'postfix-rewriting',
         'virtual_alias_maps'),
        ('a copy by table', ['sender_bcc_maps=inline:{ a@b.example=c@d.example }'], 'postfix-rewriting', 'sender_bcc_maps'),
        ('a copy that one service of master.cf makes', ['cleanup/unix/always_bcc=archive@seller.example'], 'postfix-rewriting',
         'always_bcc = archive@seller.example (cleanup)'),
        ('senders that become others', ['sender_canonical_maps=inline:{ a@b.example=c@d.example }'], 'postfix-rewriting',
         'policies must name senders as they were before'),
        ('senders of hosts that become the domain\'s', ['masquerade_domains=seller.example'], 'postfix-rewriting',
         'masquerade_domains = seller.example: policies must name'),
        ('mail that is sent elsewhere by a header', ['header_checks=regexp:{ {/^X-Urgent:/ redirect c@d.example} }'],
         'postfix-rewriting', 'header_checks has REDIRECT: such mail is sent elsewhere, and shown to no milter'),
        ('a copy by a word of a body', ['body_checks=texthash:/none/here regexp:%s/checks' % S], 'postfix-rewriting',
         'body_checks has BCC: copies'),
        ('a copy by a table that is compiled', ['nested_header_checks=hash:%s/checks' % S], 'postfix-rewriting',
         'nested_header_checks has BCC'),
        ('recipients of a sender who become others', ['smtpd_sender_restrictions=check_sender_access inline:{ { a@b.example=REDIRECT c@d.example } }'],
         'postfix-rewriting', 'smtpd_sender_restrictions has REDIRECT: recipients become another'),
        ('a copy of what one listener takes', ['127.0.0.1:%d/inet/smtpd_recipient_restrictions=check_client_access,texthash:%s/checks,permit_mynetworks' % (p.port, S)],
         'postfix-rewriting', 'smtpd_recipient_restrictions has BCC'),
        ('... by a class of restrictions', ['smtpd_restriction_classes=copied', 'copied=check_client_access texthash:%s/checks' % S],
         'postfix-rewriting', 'copied has BCC'),
        ('mail behind all milters', ['receive_override_options=no_milters'], 'postfix-overrides', 'no_milters')):
    with postconf(*values):
        broken(name, check, words)
with service('local unix - n n - - local\n'), postconf('luser_relay=all@b.example'):
    broken('mail to nobody that goes to somebody', 'postfix-rewriting', 'luser_relay = all@b.example')
with postconf('header_checks=regexp:%s/quiet' % S, 'smtpd_sender_restrictions=check_sender_access ldap:/none/here'):
    tap.same(doctor(m), {}, 'tables without such words, and one that cannot be read here: silence')
with service('submission inet n - n - - smtpd\n  -o smtpd_milters=\n  -o smtpd_sasl_auth_enable=yes\n'):
    broken('a submission service without milters', 'postfix-listeners', 'submission')
with service('465 inet n - n - - smtpd\n  -o receive_override_options=no_milters\n'):
    broken('a submission service that skips them', 'postfix-overrides', '465')
with service('2525 inet n - n - - smtpd\n  -o smtpd_milters=\n  -o smtpd_relay_restrictions=reject_unauth_destination\n'):
    tap.same(doctor(m), {}, 'a service that sends nothing out needs no milter')
with service('2528 inet n - n - - smtpd\n  -o smtpd_proxy_filter=127.0.0.1:10024\n  -o smtpd_milters=\n'):
    broken('a listener before a proxy filter, without milters', 'postfix-filters', 'only where that gives it back')
with service('2528 inet n - n - - smtpd\n  -o smtpd_proxy_filter=127.0.0.1:10024\n'):
    broken('... and with missent, which sees nothing there', 'postfix-filters', 'service 2528 (master.cf) goes to the filter 127.0.0.1:')
with service('2529 inet n - n - - smtpd\n  -o content_filter=smtp:[127.0.0.1]:10024\n  -o smtpd_milters=\n'):
    broken('missent behind a content filter', 'postfix-filters', 'only where that gives it back')
with service('2529 inet n - n - - smtpd\n  -o content_filter=smtp:[127.0.0.1]:10024\n'):
    broken('missent before it and behind it', 'postfix-filters', 'what was released is held anew')
two = S + '/two'
os.mkdir(two)
for name in ('main.cf', 'master.cf'):
    shutil.copy(p.etc + '/' + name, two)
    age(two + '/' + name)
for more_of_it, on, wants in (('smtpd_milters =\n', 'yes', True), ('', 'yes', True), ('', 'no', False),
                              ('smtpd_milters = unix:%s\nnon_smtpd_milters =\n' % os.path.basename(m.socket), 'yes', False)):
    with postconf('multi_instance_directories=' + two), changed(two + '/main.cf', lambda old: re.sub(
            '(?m)^queue_directory.*', 'queue_directory = ' + two, old) + more_of_it + 'multi_instance_enable = %s\n' % on):
        if wants:
            broken('another instance with this missent', 'postfix-instances', two + ' names missent too')
        else:
            tap.same(doctor(m), {}, 'another instance, turned off or with a missent of its own')
with service('2526 inet n - n - - smtpd\n  -o smtpd_milters=unix:missent.sock\n'):
    broken('a socket that is not where Postfix looks', 'postfix-socket', p.dir + '/queue/missent.sock')
with service('2527 inet n - y - - smtpd\n'):
    broken('a socket outside of the chroot', 'postfix-socket', 'No such file')
with changed(m.socket, mode=0o600):
    broken('a socket that Postfix may not use', 'postfix-socket', 'Permission denied')
with changed(m.conf, lambda old: re.sub('postfix-config = .*', 'postfix-config = "/nonexistent"', old)):
    out = doctor(m)
    tap.ok(set(out) >= {'postfix'} and m.code == 3, 'no Postfix to ask: said, not passed over', out)
    found.add('postfix')

# ---- whose files are whose ----
with changed(HELPER, mode=0o750):
    broken('a helper without its right', 'release-program', 'set-user-ID')
with changed(HELPER, mode=0o4755):
    broken('a helper for everyone', 'release-program', 'every user')
POLICY_FILE = m.dir + '/policies/test.conf'
with changed(POLICY_FILE, owner=0, mode=0o600):
    broken('a policy that root wrote for itself', 'readable', 'may not read ' + POLICY_FILE)
    m.tool('config', 'check')
    tap.same(m.code, 1, '... is not fine to config check')
with changed(m.dir + '/policies/kinds.conf', owner=0, mode=0o640):
    broken('kinds of root\'s', 'readable', 'kinds.conf')
with changed(m.dir + '/policies', owner=0, mode=0o700):
    broken('a folder of root\'s', 'readable', 'policies: the next start')
with changed(m.dir + '/site.key', owner=0, mode=0o600):
    broken('a site key of root\'s', 'readable', 'site.key')
with open(S + '/closed', 'w') as f:
    os.fchmod(f.fileno(), 0o600)
    f.write('a word of many\n')
for block, key in (('directory', 'redis-password-file'), ('directory', 'house-file'), ('guard', 'key-file-before'),
                   ('reader', 'passwords-file'), ('desk', 'webhook-key-file')):
    with changed(m.conf, lambda old: re.sub(r'(?m)^%s \{' % block, r'\g<0>\n%s = "%s/closed"\n' % (key, S), old)):
        out = doctor(m, '--only', 'readable')
        tap.ok(any('may not read %s/closed' % S in x for x in out.get('readable', [])), '%s { %s } of root\'s' % (block, key), out)
with changed(m.dir + '/site.key', mode=0o640):
    broken('a key that others may read', 'site-key', 'may read')
with changed(m.state + '/held.db', owner=0):
    broken('records of root\'s', 'files', 'belongs to')
with changed(m.state + '/held.db', mode=0o400):
    broken('records that are not to be written', 'databases', 'missent must write it')
ACCOUNTS = S + '/accounts.db'
for name, put, take in (('pipe', os.mkfifo, os.unlink), ('folder', os.mkdir, os.rmdir),
                        ('link to a file that is not there', lambda path: os.symlink('/none/here', path), os.unlink)):
    put(ACCOUNTS)
    with changed(m.conf, lambda old: old + 'review { accounts-file = "%s" }\n' % ACCOUNTS):
        out = doctor(m, '--only', 'databases')
        tap.ok(any('is a ' + name in x for x in out.get('databases', [])), 'a %s where accounts are to be' % name, out)
    take(ACCOUNTS)
os.rename(m.state + '/audit', S + '/audit')
os.mkdir(m.state + '/audit', 0o700)
shutil.chown(m.state + '/audit', USER)
broken('a trail under another disk', 'files', 'no trail is in it: mail is deferred')
mark = m.mark()
tap.ok(wait_for(lambda: 'no trail is in it (is a disk mounted over it?)' in m.tail(mark)
                or p.send(message('no trail', RIGHT))[0] not in (250, 451)), '... and the log says so', m.tail(mark)[-800:])
os.rmdir(m.state + '/audit')
os.rename(S + '/audit', m.state + '/audit')
os.rename(m.state + '/audit', S + '/audit')
broken('a trail that is gone', 'files', 'the trail')
with contextlib.suppress(FileNotFoundError):  # one that missentd began meanwhile
    os.rename(m.state + '/audit', S + '/audit.begun')
os.rename(S + '/audit', m.state + '/audit')
with changed(m.state, mode=0o777):
    broken('a folder that others may write to', 'files', 'write')
with open(m.dir + '/password', 'w') as f:
    f.write('secret\n')
os.chmod(m.dir + '/password', 0o644)
with settings('desk { submit-password-file = "%s/password" }\n' % m.dir):
    broken('a password that others may read', 'password-files', 'password has mode 0644')
for name, text, check, words in (
        ('templates that are not there', 'incident { notice-templates = "/none/here" }', 'named-files', '/none/here'),
        ('a page in clear', 'review { listen = "0.0.0.0:8025" }', 'page', 'in clear'),
        ('a page for every user', 'review { listen = "unix:/run/x.sock"\n socket-mode = "0666" }', 'page', 'every user'),
        ('a proxy that may be anyone', 'review { proxy-peers = {"0.0.0.0/0"} }', 'page-proxy', '0.0.0.0/0'),
        ('half of TLS', 'review { tls-certificate = "/dev/null" }', 'page-certificate', 'without tls-key')):
    with settings(text + '\n'):
        broken(name, check, words)
subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', S + '/tls.key', '-out', S + '/tls.pem',
                '-days', '3', '-subj', '/CN=mx.seller.example'], check=True, stderr=subprocess.DEVNULL)
with settings('review { tls-certificate = "%s/tls.pem"\n tls-key = "%s/tls.key" }\n' % (S, S)):
    broken('a certificate that ends soon', 'page-certificate', 'within 14 days')

# ---- the host ----
os.utime(m.state + '/held.db', (time.time() + 86400,) * 2)
out = doctor(m, '--only', 'clock')
tap.ok(any('minutes from now' in x for x in out.get('clock', [])), 'a record from the future: found by clock', out)
found.add('clock')
os.utime(m.state + '/held.db')
with open(m.state + '/large.jsonl', 'ab') as f:
    f.truncate(300 << 20)
os.chmod(m.state + '/large.jsonl', 0o640)
shutil.chown(m.state + '/large.jsonl', USER)
with settings('audit-file = "%s/large.jsonl"\n' % m.state):
    broken('an audit file that nothing rotates', 'rotation', '300 MiB')
os.unlink(m.state + '/large.jsonl')
full = S + '/full'
os.mkdir(full)
if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', full], stderr=subprocess.DEVNULL).returncode == 0:
    atexit.register(subprocess.run, ['umount', '-l', full])
    with settings('audit-file = "%s/audit.jsonl"\n' % full):
        broken('a disk that is about to be full', 'disk', 'are left')
        subprocess.run(['mount', '-o', 'remount,ro', full])
        broken('a disk that takes nothing any more', 'disk', 'nothing can be written there')
else:
    tap.skip('a disk that is about to be full', 'no tmpfs can be mounted here')
agent.stop()
broken('no agent', 'agent', 'not carried out')
agent.start()

# ---- the mapping ----
with settings('directory { house = "our-company" }\n'):
    broken('a house that is not in the mapping', 'house', 'our-company')
with settings('directory { sqlite-file = "%s/house.db" }\n' % S):
    with open(S + '/house.csv', 'w') as f:
        f.write('account,kind,value\nhouse,recipient,@seller.example\n')
    m.tool('directory', 'import', S + '/house.csv')
    shutil.chown(S + '/house.db', USER)
    broken('a mapping without any customer', 'customers', 'no account but "house"')
    m.tool('directory', 'put', 'AC-1', 'recipient', 'a@alpha.example')
    tap.same(doctor(m), {}, '... one is enough')
with settings('directory { sqlite-file = "%s/none.db" }\n' % S, 'house'):
    broken('a mapping that is not there', 'directory', 'unavailable')
with settings('reader { sandbox = optional }\n'):
    broken('workers that need not be confined', 'sandbox', 'unconfined')

# ---- what went out unjudged ----
LINE = 'Nov 26 12:00:%02d mx postfix/%s[%d]: %s\n'
with open(S + '/mail.log', 'w') as f:
    for i in range(3):
        f.write(LINE % (i, 'smtpd', 7, '4FXpR2nhgz1bY%d: client=billing[10.1.1.5]' % i))
        f.write(LINE % (i, 'qmgr', 8, '4FXpR2nhgz1bY%d: from=<billing@seller.example>, size=300, nrcpt=1 (queue active)' % i))
    f.write(LINE % (5, 'smtpd', 7, '4FXpR2nhgz1bYx: client=localhost[127.0.0.1]'))
    f.write(LINE % (5, 'qmgr', 8, '4FXpR2nhgz1bYx: from=<reminders@seller.example>, size=300, nrcpt=1 (queue active)'))
out = doctor(m, '--mail-log', S + '/mail.log')
tap.ok(set(out) == {'senders'} and any('10.1.1.5: 3 in' in x for x in out['senders'])
       and any('reminders@seller.example: 1 in' in x for x in out['senders']), 'mail that was not judged: found by senders', out)
found.add('senders')


def exported(line):
    """As journalctl -o export has what is not plain text: by its length."""
    ident, pid, text = re.match(r'\S+ +\S+ \S+ mx (\S+)\[(\d+)\]: (.*)', line).groups()
    return ('__REALTIME_TIMESTAMP=%d\n_HOSTNAME=mx\nSYSLOG_IDENTIFIER=%s\nSYSLOG_PID=%s\nMESSAGE\n' % (
        time.time() * 1000000, ident, pid)).encode() + len(text).to_bytes(8, 'little') + text.encode() + b'\n\n'


with open(S + '/mail.log') as f, open(S + '/export', 'wb') as to:
    to.write(b''.join(map(exported, f.read().splitlines())))
os.mkdir(S + '/bin')
with open(S + '/bin/journalctl', 'w') as f:
    f.write('#!/bin/sh\nexec cat %s/export\n' % S)
os.chmod(S + '/bin/journalctl', 0o755)
for log in ('', '/dev/stdout'):
    if os.path.exists('/var/log/mail.log') or os.path.exists('/var/log/maillog'):
        tap.skip('a host that logs to the journal alone', 'this one has a mail log')
        continue
    path, os.environ['PATH'] = os.environ['PATH'], S + '/bin:' + os.environ['PATH']
    with changed(p.etc + '/main.cf', lambda old: re.sub('maillog_file = .*', 'maillog_file = ' + log, old)):
        out = doctor(m)
    os.environ['PATH'] = path
    tap.ok(set(out) == {'senders'} and any('10.1.1.5: 3 in' in x for x in out['senders'])
           and any('reminders@seller.example: 1 in' in x for x in out['senders']), '... and in the journal, where Postfix logs to "%s"' % log, out)

# ---- a reload that fails, fails ----
out = m.tool('reload')
tap.ok(m.code == 0 and 'reloaded' in out, 'missent reload', out)
with changed(m.dir + '/policies/test.conf', lambda old: old.replace('kinds ', 'kindz ')):
    out = m.tool('reload')
    tap.ok(m.code == 78 and 'did you mean "kinds"' in out, '... fails when the reload did, and says why', out)
mark = m.mark()
m.signal(signal.SIGHUP)
tap.ok(wait_for(lambda: 'reloaded' in m.tail(mark)) and m.process.poll() is None, 'SIGHUP is a reload, not the end', m.tail(mark))
p.stop()
m.stop()
agent.stop()

# ---- Redis ----
redis = Redis(S)
if not shutil.which('redis-server'):
    tap.skip('Redis', 'there is no redis-server')
else:
    def cli(*args):
        """As the user who may do everything."""
        return redis.cli('--no-auth-warning', '-a', 'secret', *args)

    redis.start('--requirepass', 'secret', '--save', '900 1')
    wait_for(lambda: cli('PING') == 'PONG')
    cli('ACL', 'SETUSER', 'missent', 'on', '>word', '~*', '&*', '+@all')
    with open(m.dir + '/redis.password', 'w') as f:
        f.write('word\n')
    os.chmod(m.dir + '/redis.password', 0o640)
    m.directory = ('backend = redis\nredis = "unix:%s"\nredis-user = "missent"\nredis-password-file = "%s/redis.password"\n'
                   % (redis.socket, m.dir))
    m.guard = ''
    m.write_conf()
    m.load(MAPPING)
    m.start()
    agent.start()
    p.start()
    tap.same(doctor(m), {}, 'a good installation with Redis: silence')
    cli('CONFIG', 'SET', 'save', '')
    broken('a Redis that keeps nothing', 'redis-persistence', 'nothing to disk')
    cli('CONFIG', 'SET', 'save', '900 1')
    cli('CONFIG', 'SET', 'maxmemory', '10mb')
    cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    out = doctor(m)
    tap.ok('redis-eviction' in out and set(out) <= {'redis-eviction', 'directory', 'house'},
           'a Redis that may drop the mapping: found by redis-eviction', out)
    found.add('redis-eviction')
    cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    used = int(re.search(r'used_memory:(\d+)', cli('INFO', 'memory')).group(1))
    cli('CONFIG', 'SET', 'maxmemory', str(int(used * 1.5)))
    broken('a Redis that is nearly full', 'redis-memory', 'an import needs')
    cli('CONFIG', 'SET', 'maxmemory', '0')
    cli('CONFIG', 'SET', 'maxmemory', str(used // 2))
    broken('a Redis that is full', 'redis-memory', 'is full')
    cli('CONFIG', 'SET', 'maxmemory', '0')
    cli('ACL', 'SETUSER', 'default', 'nopass')
    broken('a Redis for everyone', 'redis-open', 'no password')
    cli('ACL', 'SETUSER', 'default', 'resetpass', '>secret')
    with changed(m.conf, lambda old: old.replace('redis-user = "missent"\n', '')), \
            changed(m.dir + '/redis.password', 'secret\n'):
        broken('the user who may do everything', 'redis-user', 'default')
    with changed(m.conf, lambda old: old.replace('redis-user', 'redis-replica = "unix:%s"\nredis-user' % redis.socket)):
        broken('a replica that is none', 'redis-replica', 'is no replica')
    with changed(m.conf, lambda old: old.replace('redis-user', 'trust-eviction-policy = yes\nredis-user')):
        broken('an eviction policy that is not looked at', 'redis-ways', 'trust-eviction-policy')
    # What is wrong for missentd alone: another user, with mail to count.  It asks every five seconds.
    used_by = lambda *checks: wait_for(lambda: set(doctor(m)) == set(checks), 20, 1)
    cli('ACL', 'SETUSER', 'missent', '-set')
    verdict(m.socket, message('one', RIGHT), ['kunde@alpha.example'])
    tap.ok(used_by('guard-used'), 'a right that the guard lacks: found by guard-used', doctor(m))
    cli('ACL', 'SETUSER', 'missent', '+set')
    tap.ok(wait_for(lambda: not doctor(m), 40, 1), '... until it has it, though no mail comes', doctor(m))
    found.add('guard-used')
    if os.geteuid() == 0:
        os.chmod(redis.socket, 0o700)
        cli('CLIENT', 'KILL', 'TYPE', 'normal')
        tap.ok(used_by('directory-used', 'guard-used'), 'a socket that missentd may not open: found by directory-used',
               doctor(m))
        os.chmod(redis.socket, 0o777)
        tap.ok(wait_for(lambda: not doctor(m), 40, 1), '... until it may', doctor(m))
    found.add('directory-used')
    cli('ACL', 'SETUSER', 'missent', '-mget')
    tap.ok('directory' in doctor(m), 'a right that only a message takes: found by directory', doctor(m))
    cli('ACL', 'SETUSER', 'missent', '+mget')
    redis.stop()
    outs = [doctor(m)]
    for _ in range(3):  # missentd, too, knows it after some seconds
        time.sleep(3)
        outs.append(doctor(m))
    tap.ok(all('directory' in x and set(x) <= {'directory', 'house'} for x in outs), 'no Redis: found by directory alone', outs)
    found.add('directory')
    p.stop()
    m.stop()
    agent.stop()

# ---- Sendmail ----
n = Missent(S + '/second', mapping=MAPPING)
sendmail = Sendmail(S + '/second', 'unix:' + n.socket)
why = sendmail.unpack()
if why:
    tap.skip('Sendmail', why)
else:
    sendmail.start()
    n.more = re.sub(r'release-program = "%s/.*\n' % BUILD, '', sendmail.settings()) + more(n.dir, accept())
    n.write_conf()
    n.chown()
    n.start()
    second = Program(n, 'missent-agent')
    second.start()
    tap.same(doctor(n), {}, 'a good installation on Sendmail: silence')
    CF = sendmail.dir + '/sendmail.cf'

    def cf(pattern, to):
        return changed(CF, lambda old: re.sub('(?m)' + pattern, to, old))

    m = n
    for name, pattern, to, check, words in (
            ('no F=T', r'(^Xmissent.*) F=T,', r'\1', 'sendmail-action', 'unjudged'),
            ('another socket', r'(^Xmissent, S=unix:[^,]*),', r'\1x,', 'sendmail', 'no X line'),
            ('a list without missent', r'^O InputMailFilters=missent', 'O InputMailFilters=', 'sendmail', 'does not name'),
            ('a filter behind missent', r'^O InputMailFilters=missent', 'O InputMailFilters=missent, dkim', 'sendmail-order',
             'dkim'),
            ('too little time', r'E:5m', 'E:5s', 'sendmail-timeouts', 'E:5s'),
            ('a listener with filters of its own', r'(^O DaemonPortOptions=.*)$', r'\1, I=other', 'sendmail-daemons', 'I=other'),
            ('a listener with none', r'(^O DaemonPortOptions=.*)$', r'\1, InputMailFilters=', 'sendmail-daemons', '(I=)'),
            ('recipients that become others', r'\A', 'Kvirtuser hash -o %s/checks\n' % S, 'sendmail-rewriting',
             'virtusertable %s/checks: recipients' % S),
            ('domains that become others', r'\A', 'Kdomaintable hash -T<TMPF> %s/checks\n' % S, 'sendmail-rewriting', 'domaintable'),
            ('mail to nobody that goes to somebody', r'\A', 'DLall@b.example\n', 'sendmail-rewriting', 'LUSER_RELAY all@b.example')):
        with cf(pattern, to):
            broken(name, check, words)
    with open(S + '/none', 'w') as f:
        f.write('# nobody yet\n\n')
    with cf(r'\A', 'Kvirtuser hash -o %s/none\nKdomaintable hash -o /none/here\n' % S):
        tap.same(doctor(n), {}, 'tables in which nobody is: silence')
    n.stop()
    tap.same(set(doctor(n)), {'daemon'}, 'no missentd: found by daemon')
    found.add('daemon')
    second.stop()
    sendmail.stop()

names = {x.split()[0] for x in n.tool('--no-color', 'doctor', '--list').splitlines() if x and not x.startswith(' ')}
missing = names - found
print('# not shown here: ' + ' '.join(sorted(missing)))
tap.ok(len(found) >= 25, 'more than 25 checks have found what they are for', sorted(found))

tap.done()
