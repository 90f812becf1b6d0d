"""Debian's packages, made of an unpacked tarball: installed beside a Postfix on a machine with systemd, used, upgraded
over what an operator changed, taken away, and installed again over what a purge leaves."""
import hashlib

from machine import *

tap = Tap()
ETC, STATE, HELPER = '/etc/missent', '/var/lib/missent', '/usr/libexec/missent/missent-release'
CSV = 'account,kind,value\n' + ''.join('%s,%s,"%s"\n' % row for row in MAPPING)
SERVICES = ('missent', 'missent-agent', 'missent-review')
WHY = None
if os.environ.get('MS_SANITIZERS'):
    WHY = 'packages are not made of builds with sanitizers; those without are tested'
elif not shutil.which('dpkg-buildpackage') or not shutil.which('lintian'):
    WHY = 'the packaging tools are not installed (contrib/install-packages package)'
if WHY:
    tap.skip('packages', WHY)
    tap.done()
S = scratch_folder()
os.environ.update(TMPDIR=S, DEB_BUILD_OPTIONS='noautodbgsym')


def command(*args, **more):
    done = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    return done.returncode, done.stdout


def made():
    """The packages of this version, of what `make dist` packs."""
    tree = S + '/dist/missent'
    os.makedirs(S + '/dist')
    code, out = command('make', '-s', '-C', BUILD, 'distdir', 'distdir=' + tree, 'top_distdir=' + tree)
    tap.ok(code == 0, 'what make dist packs', out)
    os.chmod(S, 0o755)
    code, out = command(tree + '/contrib/deb', '--build', BUILD, '--version', '0.1.0', S + '/debs', cwd='/')
    return tap.ok(code == 0, 'two packages are made of it, and lintian has nothing to say', out)


def newer(name):
    """The same as the next version, with other settings to begin with; the path."""
    old, = glob.glob('%s/debs/%s_*.deb' % (S, name))
    folder = '%s/newer/%s' % (S, name)
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    command('dpkg-deb', '-R', old, folder)
    with open(folder + '/DEBIAN/control') as f:
        control = f.read().replace('0.1.0', '0.1.1')
    with open(folder + '/DEBIAN/control', 'w') as f:
        f.write(control)
    for path in ('/etc/missent/policies/kinds.conf', '/usr/share/missent/policies/invoices.conf', '/usr/share/missent/missent.conf'):
        if os.path.exists(folder + path):
            with open(folder + path, 'a') as f:
                f.write('# of 0.1.1\n')
    path = '%s/newer/%s_0.1.1.deb' % (S, name)
    code, out = command('dpkg-deb', '-Znone', '-b', folder, path)
    return path if code == 0 else tap.ok(False, 'a newer package', out)


def bring(box, *paths):
    """As root of that machine would, at a terminal that nobody sits at: (status, output)."""
    os.makedirs(box.root + '/srv', exist_ok=True)
    for path in paths:
        shutil.copy(path, box.root + '/srv')
    return box.run('dpkg', '-i', *['/srv/' + os.path.basename(x) for x in paths])


def at_work(box, name):
    out = box.sh('systemctl is-active %s; systemctl is-enabled %s' % (' '.join(SERVICES), ' '.join(SERVICES)))[1]
    tap.ok(out.split() == ['active'] * 3 + ['enabled'] * 3, name, out + box.journal(*SERVICES))


def text_of(box, path):
    with open(box.root + path, errors='replace') as f:
        return f.read()


def digest(box, path):
    with open(box.root + path, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


def right_of(box):
    return box.run('stat', '-c', '%a %U %G', HELPER)[1].strip()


def observed(box):
    """Subjects cannot be seen; queue IDs can."""
    return re.findall(r'^(\w+) +observed ', box.run('missent', 'held', 'list', '--observed')[1], re.M)


def wrong_mail(box, subject):
    """It goes out, and is on record."""
    name = box.queue_id(box.send(message(subject, WRONG), ['kunde@alpha.example']))
    arrived = wait_for(lambda: any(subject in open(x, errors='replace').read() for x in glob.glob(box.sink + '/*')))
    tap.ok(arrived and name in observed(box), 'wrong mail goes out and is on record: ' + subject, '%s %s' % (name, observed(box)))
    return name


def installed(box):
    code, out = bring(box, *glob.glob(S + '/debs/missent_*.deb'), *glob.glob(S + '/debs/missent-review_*.deb'))
    if not tap.ok(code == 0, 'they are installed; nothing is asked', out):
        return False
    tap.ok('no account yet' in out, '... and what opens the page is told', out)
    code, out = box.run('missent', 'review', 'adduser', 'anna', stdin="anna's-password\n")
    tap.ok(code == 0 and box.run('systemctl', 'start', 'missent-review')[0] == 0, '... and does it', out)
    at_work(box, 'the services are enabled and at work')
    tap.same(right_of(box), '4750 root missent-release', 'the helper has its right')
    tap.same(box.run('stat', '-c', '%a %U', ETC + '/site.key')[1].strip(), '400 missent', 'a key is made, for the daemon alone')
    code, out = box.run('missent', 'config', 'show')
    tap.ok(code == 0 and 'mode = "observe"' in out, 'it observes', out)
    code, out = box.run('missent', 'directory', 'import', '-', stdin=CSV)
    tap.ok(code == 0, 'a directory', out)
    box.write(ETC + '/policies/invoices.conf', POLICY + '# the operator\'s\n')
    os.unlink(box.root + ETC + '/policies/support.conf')
    code, out = box.sh('echo "# the operator\'s" >>%s/missent.conf; systemctl reload missent' % ETC)
    tap.ok(code == 0, 'a policy', out)
    code, out = box.sh('bash -c \'. /usr/share/bash-completion/completions/missent; COMP_WORDS=(missent held rel); COMP_CWORD=2; '
                       '_missent; echo ${COMPREPLY[*]}\'')
    tap.same(out.strip(), 'release', 'completion is where bash looks')
    code, out = box.sh('logrotate -d /etc/logrotate.d/missent')
    tap.ok(code == 0 and 'error' not in out, 'logrotate takes its file', out)
    code, out = box.sh('systemd-analyze verify --man=no missent.service missent-agent.service missent-review.service')
    tap.ok(code == 0 and 'missent' not in out, 'systemd has nothing to say against the units', out)
    return True


def guarded(box):
    """AppArmor: see also tests/unit/test-packages.sh."""
    if not os.path.exists('/sys/kernel/security/apparmor'):
        tap.skip('it works within its AppArmor profiles, enforced', 'this kernel has no AppArmor')
        return
    for name in ('missentd', 'missent-agent', 'missent-review'):
        path = '/etc/apparmor.d/usr.sbin.' + name
        box.write(path, text_of(box, path).replace(', complain', ''))
    box.sh('apparmor_parser -r /etc/apparmor.d/usr.sbin.missent*; systemctl restart ' + ' '.join(SERVICES))
    out = box.sh('for name in %s; do cat /proc/$(systemctl show -P MainPID $name)/attr/current; done' % ' '.join(SERVICES))[1]
    tap.same(out.count('(enforce)'), 3, 'they are within their AppArmor profiles, enforced')
    wrong_mail(box, 'within AppArmor')


def upgraded(box):
    key, before = digest(box, ETC + '/site.key'), observed(box)
    conf = text_of(box, ETC + '/missent.conf')
    pid = box.run('systemctl', 'show', '-P', 'MainPID', 'missent')[1]
    box.sh('dpkg-statoverride --remove %s; dpkg-statoverride --update --add root root 0700 %s' % (HELPER, HELPER))
    code, out = bring(box, newer('missent'), newer('missent-review'))
    tap.ok(code == 0 and '0.1.1' in box.sh('dpkg-query -W missent')[1], 'an upgrade; nothing is asked', out)
    at_work(box, '... the services are at work')
    tap.ok(box.run('systemctl', 'show', '-P', 'MainPID', 'missent')[1] != pid, '... of the new version')
    tap.same(right_of(box), '700 root root', '... who may use the helper is what the operator said')
    box.sh('dpkg-statoverride --remove %s; dpkg-statoverride --update --add root missent-release 4750 %s' % (HELPER, HELPER))
    tap.same(digest(box, ETC + '/site.key'), key, '... the key stays')
    tap.same(observed(box), before, '... the records stay')
    tap.same(text_of(box, ETC + '/missent.conf'), conf, '... so do the settings')
    tap.ok('the operator' in text_of(box, ETC + '/policies/invoices.conf'), '... and policies')
    tap.ok(not os.path.exists(box.root + ETC + '/policies/support.conf'), '... what was taken away stays away')
    tap.ok('0.1.1' in text_of(box, ETC + '/policies/kinds.conf'), '... kinds that nobody changed are the new ones')
    code, out = box.run('missent', 'audit', 'verify')
    tap.ok(code == 0, '... the trail is whole', out)
    wrong_mail(box, 'after the upgrade')


def purged(box):
    key, before = digest(box, ETC + '/site.key'), observed(box)
    box.sh("sed -i 's/^mode = observe/mode = enforce/' %s/missent.conf && missent reload" % ETC)
    held = box.queue_id(box.send(message('held when it goes', WRONG), ['kunde@alpha.example']))
    tap.ok(wait_for(lambda: held in box.run('missent', 'held', 'list')[1]), 'one is held', held)
    box.sh('postconf -M submission/inet="submission inet n - y - - smtpd"; '
           'postconf -P submission/inet/smtpd_milters=unix:missent/missent.sock')
    code, out = box.run('dpkg', '--remove', 'missent-review', 'missent')
    tap.ok('held still, and that nobody looks at any more: 1;' in out, 'taken away, it says what is held still', out)
    named = re.search(r'where it is installed\): (.*)', out)
    tap.same((code, sorted(named.group(1).split()) if named else out),
             (0, ['non_smtpd_milters', 'smtpd_milters', 'submission/inet/smtpd_milters']), '... and where Postfix waits for it')
    code, out = box.run('dpkg', '--purge', 'missent-review', 'missent')
    tap.ok(code == 0 and 'held mail, records' in out and 'rm -r /etc/missent /var/lib/missent' in out,
           'a purge asks nothing and says what it leaves', out)
    left = sorted(os.listdir(box.root + ETC)) + sorted(os.listdir(box.root + ETC + '/policies')
                                                      if os.path.isdir(box.root + ETC + '/policies') else [])
    tap.same(left, ['site.key'], '... of /etc/missent the key alone')
    code, out = box.sh('dpkg-statoverride --list %s; ls /etc/apparmor.d /etc/logrotate.d | grep missent; '
                       'systemctl list-unit-files "missent*" --no-legend --state=enabled' % HELPER)
    tap.same(out, '', '... and nothing that would still act')
    tap.same(digest(box, ETC + '/site.key'), key, '... which is as it was')
    code, out = bring(box, *glob.glob(S + '/debs/missent_*.deb'), *glob.glob(S + '/debs/missent-review_*.deb'))
    tap.ok(code == 0, 'installed again', out)
    at_work(box, '... it is at work')
    tap.same(observed(box), before, '... over the same records')


if made():
    machine = WithPostfix(S)
    why = machine.lay() or machine.prepare()
    with contextlib.suppress(FileNotFoundError):
        os.unlink(machine.root + '/usr/sbin/policy-rc.d')
    why = why or machine.boot()
    if why:
        tap.skip('packages on a machine with systemd', why)
        tap.done()
    machine.start_sink()
    machine.sh('systemctl start postfix')
    if installed(machine):
        wrong_mail(machine, 'to the wrong one')
        guarded(machine)
        upgraded(machine)
        purged(machine)
    machine.stop()
tap.done()
