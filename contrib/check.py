"""Every test, several side by side; run by contrib/check.

What is done is a list of jobs; each waits for the builds that it names.  Scenarios wait for
clocks and time-outs more than they compute, so up to LANES jobs run at once; unit tests, which
keep processors busy, have half of them each.  Of jobs that share something (a lock) one runs at
a time: those that keep all processors busy, those that boot a machine, those that drive a
browser.  A scenario or a check program that failed beside others is run once more by itself,
since a clock may have run out for want of processors; that it failed first is told.  ccache is
used where it is installed.
"""
import collections
import glob
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# A scenario keeps a processor busy for a third of its time; builds and unit tests all the time.
LANES = int(os.environ.get('MISSENT_LANES', 2 * (os.cpu_count() or 1)))
ROOT = os.geteuid() == 0
JOBS = '-j%d' % (os.cpu_count() or 1)
AS_INSTALLED = ['--prefix=/usr', '--sysconfdir=/etc', '--localstatedir=/var', '--runstatedir=/run']
BEGUN = time.monotonic()
LIMIT = 4800  # seconds of one job, none of which should take a quarter of it
# Seconds after which what --other does is left to it: a run of all the rest is to come to its end on slow machines, too.
LONG_RUN = 2700
# Only what is done in a root of the Debian that this machine is not; only what is done on fresh servers.
OTHER = '--other' in sys.argv[1:]
STOCK = '--stock' in sys.argv[1:]
SHOTS = os.environ.get('MISSENT_SHOTS', TOP + '/build-shots')
# Of freed memory, and of who asked for it: what is kept makes each fork and each fresh page dear, and tests start
# programs all the time.
LITTLE_KEPT = 'quarantine_size_mb=1:thread_local_quarantine_size_kb=64:malloc_context_size=4'
# Side by side they wait for processors too.
PATIENCE = '3'
# Scenarios that use one of these share it with their like; those that make traffic, the processors with all that
# keeps them busy.
SHARED = {'machine': 'machine', 'browser': 'browser', 'traffic': 'processors'}
# Unit tests that take longest, and ask what neither a compiler nor a library changes: in the other Debian by --other alone.
LONG = ['agent', 'bench', 'border', 'clock', 'desk', 'desk-model', 'explain', 'insider', 'known', 'lint', 'mapping', 'mistyped', 'notices',
        'packages', 'pages', 'people', 'programs', 'reconcile', 'redis', 'reload', 'spelling', 'supervisor', 'tools', 'wait']
# The longest are begun first, so that nothing waits for one of them alone at the end.
FIRST = ' '.join('tests/unit/test-' + x for x in ('desk', 'border', 'clock', 'wait', 'mistyped.sh', 'tools.sh', 'pages', 'people', 'bench.sh'))
ORDER = ['11-installed', '25-doctor', '04-decisions', '07-review', '27-packages', '26-guide', '08-crashes', '26-init', '02-faults']


class Failed(Exception):
    """Its text is what there is to see."""


class Job:
    """`work(job)` raises Failed, or counts."""

    def __init__(self, name, work, after=(), lock=None, again=False, lanes=1):
        self.name, self.work, self.after, self.lock, self.again, self.lanes = name, work, after, lock, again, lanes
        self.counts = collections.Counter()
        self.notes = []
        self.state = 'waiting'
        self.began = self.took = 0

    def run(self):
        start = time.monotonic()
        self.began = start - BEGUN
        try:
            self.work(self)
            self.state = 'done'
        except Failed as e:
            self.notes += str(e).splitlines()
            self.state = 'failed'
        except Exception as e:  # of this program itself: said, and counted
            self.notes.append(repr(e))
            self.state = 'failed'
        if self.state == 'failed':
            self.counts['failed'] += 1
        self.took = time.monotonic() - start

    def tap(self, text, prefix=''):
        """Counts the lines of a test; those that are not "ok" are told."""
        for line in text.splitlines():
            if line.startswith('ok '):
                skip = '# SKIP' in line
                self.counts['skipped' if skip else 'passed'] += 1
                if skip:
                    self.notes.append(prefix + line)
            elif line.startswith(('not ok ', 'Bail out', 'ERROR: tests/')):  # the last: it crashed, or could not be run
                self.counts['failed'] += 1
                self.notes.append(prefix + line)
            elif line.startswith('# ') and not prefix or re.match('# got .* want ', line):
                self.notes.append(prefix + line)


class Runner:
    def __init__(self, work):
        self.work = work
        self.processes = set()
        self.ending = False

    def command(self, args, cwd=None, env=None, quiet=False, shell=False):
        """(exit status, standard output, standard error); of what takes too long or is ended the status is not 0."""
        process = subprocess.Popen(args, cwd=cwd, env={**os.environ, **(env or {})}, shell=shell,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True,
                                   stderr=subprocess.PIPE if quiet else subprocess.STDOUT)
        self.processes.add(process)
        if self.ending:
            self.end(process)
        try:
            out, err = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.end(process)
            out, err = process.communicate()
            err = (err or b'') + b'\nended after %d seconds' % LIMIT
        self.processes.discard(process)
        return process.returncode, out.decode(errors='replace'), (err or b'').decode(errors='replace')

    @staticmethod
    def end(process):
        """So that scenarios take down what they started."""
        for number, seconds in ((signal.SIGINT, 20), (signal.SIGKILL, 5)):
            try:
                os.killpg(process.pid, number)
                process.wait(seconds)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                pass

    def stop(self, *_):
        self.ending = True
        for process in list(self.processes):
            self.end(process)

    def run(self, jobs):
        """Side by side, in the order of the list as far as their needs allow."""
        changed = threading.Condition()

        def one(job):
            job.run()
            with changed:
                report(job)
                changed.notify()

        with changed:
            while True:
                running = [j for j in jobs if j.state == 'running']
                waiting = [j for j in jobs if j.state == 'waiting']
                state = {j.name: j.state for j in jobs}
                for job in waiting:
                    if self.ending or any(state.get(x) in ('failed', 'left out') for x in job.after):
                        job.state = 'left out'
                        job.counts['failed' if self.ending else 'skipped'] += 1
                        report(job)
                    elif all(state.get(x) in ('done', None) for x in job.after) \
                            and (not running or sum(j.lanes for j in running) + job.lanes <= LANES) \
                            and not (job.lock and job.lock in [j.lock for j in running]):
                        job.state = 'running'
                        running.append(job)
                        threading.Thread(target=one, args=[job], daemon=True).start()
                if not running:
                    if not [j for j in jobs if j.state == 'waiting']:
                        return
                    continue  # what was left out may leave out others
                changed.wait()


def report(job):
    """One line when it has ended; below it what was not as it should be."""
    n = job.counts
    what = {'done': 'fine', 'failed': 'FAILED', 'left out': 'left out'}[job.state]
    if n['failed']:
        what = 'FAILED'
    more = ['%d %s' % (n[x], x) for x in ('passed', 'failed', 'skipped') if n[x] and (x != 'passed' or n[x] > 1)]
    print('%s: %s%s, %d s' % (what, job.name, ''.join(', ' + x for x in more), job.took))
    for line in job.notes:
        print('    ' + line)
    sys.stdout.flush()


def main():
    os.umask(0o022)
    # What the shell finds as python3 may be a script that looks for one, and takes ten times as long to begin.
    os.environ['PATH'] = os.path.dirname(os.path.realpath(sys.executable)) + ':' + os.environ['PATH']
    work = tempfile.mkdtemp(prefix='missent-check-', dir=os.environ.get('TMPDIR'))
    os.chmod(work, 0o755)
    runner = Runner(work)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=runner.stop).start())
    signal.signal(signal.SIGINT, lambda *_: threading.Thread(target=runner.stop).start())
    try:
        jobs, other, last = plan(runner, work)
        runner.run(jobs)
        if time.monotonic() - BEGUN > LONG_RUN:
            for job in other:
                job.state = 'left out'
                job.counts['skipped'] += 1
                job.notes.append('the run took longer than %d s: contrib/check --other' % LONG_RUN)
                report(job)
        elif not runner.ending:
            runner.run(other)
        jobs += other
        for job in [j for j in jobs if j.again and j.counts['failed'] and not runner.ending]:
            print('%s failed beside others; now by itself' % job.name)
            job.counts.clear()
            job.notes, job.state, job.again = [], 'waiting', False
            runner.run([job])
        if not runner.ending:
            runner.run(last)
            jobs += last
    finally:
        shutil.rmtree(work, True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print('the longest of %d s, in which %d s of a processor were used: %s' % (
        time.monotonic() - BEGUN, used.ru_utime + used.ru_stime, '; '.join(
        '%s %d s from %d' % (j.name, j.took, j.began) for j in sorted(jobs, key=lambda j: -j.took)[:20])))
    total = sum((j.counts for j in jobs), collections.Counter())
    print('%d passed, %d failed%s' % (total['passed'], total['failed'],
                                      ', %d skipped' % total['skipped'] if total['skipped'] else ''))
    return 1 if total['failed'] else 0


def compiler(name):
    return 'ccache ' + name if shutil.which('ccache') else name


def plan(runner, work):
    source = work + '/source'
    gcc, clang, git = compiler('gcc'), compiler('clang'), shutil.which('git')
    # Hits across the folders of one run, and from run to run.
    cache = {'CCACHE_BASEDIR': work, 'CCACHE_NOHASHDIR': '1'}

    def must(args, **more):
        code, out, err = runner.command(args, **more)
        if code:
            lines = (out + err).splitlines()
            marked = [x for x in lines if re.search('error|warning|FAIL|not ok', x)]
            raise Failed('\n'.join(marked[:20] + lines[-15:]))
        return out

    def step(args, **more):
        def do(job):
            must(args, **more)
            job.counts['passed'] += 1
        return do

    def configure(job):
        """In the source folder, as a newcomer does it, but with warnings fatal; and what is handed out, for all that follow.

        Nothing that was built here before takes part.
        """
        with open(TOP + '/README.md') as f:
            line = re.search(r'^ {4}(autoreconf -i && \./configure .*)\n {4}make\b', f.read(), re.M)
        if not line:
            raise Failed('the README has no such line any more')
        must([TOP + '/contrib/clean-copy', work + '/gcc'])
        if git:
            must('git init -q . && git add -A && git -c user.name=x -c user.email=x@localhost commit -q -m x', shell=True,
                 cwd=work + '/gcc')
        must(line.group(1) + ' --enable-werror -q CC="%s"' % gcc, cwd=work + '/gcc', shell=True, env=cache)
        must('make -s dist && tar xJf missent-*.tar.xz && mv missent-*/ %s && rm missent-*.tar.xz' % source, shell=True,
             cwd=work + '/gcc')
        job.counts['passed'] += 1

    def build(job):
        must(['make', JOBS], cwd=work + '/gcc', env=cache)
        if git:
            more = must(['git', 'status', '--porcelain'], cwd=work + '/gcc')
            if more:
                raise Failed('.gitignore does not know what a build makes:\n' + more)
        job.counts['passed'] += 1

    def build_beside(folder, *arguments):
        """In a folder of its own, from what is handed out."""
        def do(job):
            os.makedirs(work + '/' + folder)
            must([source + '/configure', '-q', '--enable-werror', *AS_INSTALLED, *arguments],
                 cwd=work + '/' + folder, env=cache)
            must(['make', JOBS], cwd=work + '/' + folder, env=cache)
            job.counts['passed'] += 1
        return do

    targets = collections.defaultdict(lambda: 'check')

    def unit(folder):
        def do(job):
            tests = "TESTS=%s $(filter-out %s, $(check_PROGRAMS) $(SHELL_TESTS))" % (FIRST, FIRST)
            code, out, err = runner.command(['make', '-k', JOBS, targets[folder], tests], cwd=work + '/' + folder, env=cache)
            complaints = [x for x in (out + err).splitlines() if re.search('(error|warning):', x)]
            job.notes += complaints
            # A second time only what failed: not so where a program was not even built, or did not get its turn.
            whole = re.search('^# TOTAL', out, re.M) and not complaints
            targets[folder] = 'recheck' if whole else 'check'
            for log in sorted(glob.glob(work + '/' + folder + '/tests/**/*.log', recursive=True)):
                with open(log, errors='replace') as f:
                    job.tap(f.read(), os.path.basename(log)[:-4] + ': ')
            if code:
                raise Failed('make check ended with %d' % code)
        return do

    def files_in(folder):
        return sorted(os.path.join(at, x)[len(folder):] for at, _, names in os.walk(folder) for x in names)

    def taken_away(job):
        """What `make distcheck` asks, of what was built beside the sources, without building all of it once more."""
        built, root = work + '/clang', work + '/taken-away'
        make = ['make', '-s', '-C', built]
        before = files_in(source)
        must([*make, 'install', 'DESTDIR=' + root])
        must([*make, 'uninstall', 'DESTDIR=' + root])
        must([*make, 'distuninstallcheck', 'distuninstallcheck_dir=' + root])
        must([*make, 'dist'])
        again = must('tar tJf %s/missent-*.tar.xz | sed "s,^[^/]*,," | grep -v "/$" | sort' % built, shell=True).split('\n')
        must('rm %s/missent-*.tar.xz' % built, shell=True)
        must([*make, 'distcleancheck'])
        odd = set(before) ^ set(again[:-1]) | set(before) ^ set(files_in(source))
        if odd:
            raise Failed('not in the sources, or not handed out by who got them:\n' + '\n'.join(sorted(odd)[:20]))
        job.counts['passed'] += 1

    def scenario(folder, file, **environment):
        def do(job):
            environment.update(BUILD=work + '/' + folder, MISSENT_SHOTS=SHOTS, MS_PATIENCE=PATIENCE)
            code, out, err = runner.command([sys.executable, file], env=environment, quiet=True)
            job.tap(out)
            if code not in (0, 1) or not re.search(r'^1\.\.', out, re.M):
                lines = err.splitlines()
                where = [x for x in lines[:-8] if os.path.basename(file) in x]
                raise Failed('it ended with %d\n' % code + '\n'.join(where[-3:] + lines[-8:]))
        return do

    def quickstart(job):
        """In a folder where it was built before."""
        out = must([work + '/gcc/contrib/quickstart'], env={'BUILD': ''})
        count = tuple(len(re.findall('^' + x, out, re.M)) for x in ('delivered', 'HELD'))
        if count != (8, 7):
            raise Failed('%d delivered, %d held\n' % count + out)
        job.counts['passed'] += 1

    def closed(job):
        """A checkout below /root, where the daemon's user does not come."""
        os.mkdir(work + '/closed', 0o700)
        for path in glob.glob(work + '/gcc/missent*'):
            if os.path.isfile(path):
                shutil.copy2(path, work + '/closed')
        if '\nHELD' not in must([TOP + '/contrib/quickstart'], env={'BUILD': work + '/closed'}):
            raise Failed('nothing was held')
        job.counts['passed'] += 1

    other_root = []

    def bring(job):
        """A root of the Debian that this machine is not; where there can be none, the reason is told."""
        sections = ['check', 'package'] if STOCK else ['check']
        code, out, err = runner.command([TOP + '/contrib/other', 'bring', *sections])
        lines = (out + err).strip().splitlines() or ['?']
        if code == 75:
            job.notes.append(lines[-1])
            job.counts['skipped'] += 1
        elif code:
            raise Failed(out + err)
        else:
            other_root.append(lines[-1])
            job.counts['passed'] += 1

    def in_other(job, script):
        """What it prints; or None, where there is no root."""
        if not other_root:
            job.notes.append('there is no root of the other Debian')
            job.counts['skipped'] += 1
            return None
        kept = [work]
        if shutil.which('ccache'):
            kept.append(must(['ccache', '-k', 'cache_dir']).strip())
            os.makedirs(kept[-1], exist_ok=True)
        # It gives way to what has time-outs.
        return must(['nice', '-n', '5', TOP + '/contrib/other', 'run', *kept, '--', 'sh', '-ec', script],
                    env={**cache, 'MS_PATIENCE': PATIENCE, 'CCACHE_DIR': kept[-1] if len(kept) > 1 else work + '/ccache'})

    def build_other(job):
        """For what a compiler and libraries say, not for speed."""
        if in_other(job, 'mkdir -p {0}/other && cd {0}/other && {1}/configure -q --enable-werror {2} CC="ccache gcc" '
                    'CXX="ccache g++" CFLAGS=-O0 CXXFLAGS=-O0 && make {3} && make {3} check TESTS='.format(
                        work, source, ' '.join(AS_INSTALLED), JOBS)) is not None:
            job.counts['passed'] += 1

    def unit_other(job):
        """Its exit status is not asked: a test that failed is a line, and a run without lines is a failure."""
        left_out = ' '.join('tests/unit/test-%s tests/unit/test-%s.sh' % (x, x) for x in LONG)
        tests = '' if OTHER else "TESTS='$(filter-out %s, $(check_PROGRAMS) $(SHELL_TESTS))'" % left_out
        if in_other(job, 'cd %s/other && { make -k %s %s %s >make-check.log 2>&1 || true; }' % (
                work, JOBS, targets['other'], tests)) is not None:
            targets['other'] = 'recheck'
            for log in sorted(glob.glob(work + '/other/tests/**/*.log', recursive=True)):
                with open(log, errors='replace') as f:
                    job.tap(f.read(), os.path.basename(log)[:-4] + ': ')
            if job.counts['passed'] < 100:
                with open(work + '/other/make-check.log', errors='replace') as f:
                    raise Failed('only %d passed\n' % job.counts['passed'] + f.read()[-2000:])

    def quickstart_other(job):
        out = in_other(job, 'BUILD=%s/other %s/contrib/quickstart' % (work, source))
        if out is not None:
            job.counts['passed'] += 1
            if out.count('\nHELD') < 7:
                raise Failed(out)

    def packages_other(job):
        """From the sources, with that Debian's compiler and linter."""
        if in_other(job, 'cd / && TMPDIR=%s %s/contrib/deb %s/other-debs' % (work, source, work)) is not None:
            job.counts['passed'] += 1

    def fresh(job, arguments, **environment):
        """The README's path on fresh servers."""
        code, out, err = runner.command([sys.executable, TOP + '/tests/scenario/stock.py', *arguments], env=environment, quiet=True)
        job.tap(out)
        job.notes += [x for x in out.splitlines() if ' minutes' in x]
        if code not in (0, 1):
            raise Failed(err[-1000:])

    def stock(job):
        """With what is at hand of packages."""
        if not ROOT:
            return without_root(job)
        here = re.search('^VERSION_CODENAME=(.*)$', open('/etc/os-release').read(), re.M).group(1)
        must([TOP + '/contrib/deb', work + '/debs'], env=cache)
        given = [here + '=' + work + '/debs']
        if os.path.isdir(work + '/other-debs'):
            given.append(os.path.basename(other_root[0]) + '=' + work + '/other-debs')
        fresh(job, given)

    def stock_source(job):
        if not ROOT:
            return without_root(job)
        os.makedirs(work + '/ccache-source')
        fresh(job, ['--source', 'bookworm', 'trixie'], MISSENT_CCACHE=work + '/ccache-source')

    def shared(file):
        with open(file) as f:
            used = re.findall(r'^from (\w+) import', f.read(), re.M)
        return next((SHARED[x] for x in SHARED if x in used), None)

    def without_root(job):
        job.notes.append('Postfix starts only as root')
        job.counts['skipped'] += 1

    def scenarios(name, **environment):
        files = {os.path.basename(x)[:-3]: x for x in glob.glob(TOP + '/tests/scenario/[0-9]*.py')}
        if not ROOT:
            return [Job('scenarios, ' + name, without_root)]
        return [Job('%s, %s' % (x, name), scenario(name, files[x], **environment), ['build, ' + name], shared(files[x]), True)
                for x in sorted(files, key=lambda x: (ORDER.index(x) if x in ORDER else 99, x))]

    first = Job('the README\'s lines in the source folder, make dist', configure)
    runner.run([first])
    if first.state != 'done':
        return [first], [], []
    root = Job('the other Debian: a root', bring)
    others = [
        Job('the other Debian: build', build_other, [root.name]),
        Job('the other Debian: make check', unit_other, ['the other Debian: build'], again=True),
        Job('the other Debian: quickstart', quickstart_other, ['the other Debian: build'], 'quickstart'),
    ]
    if OTHER:
        return [first, root, *others], [], []
    if STOCK:
        return [first, root, Job('the other Debian: packages', packages_other, [root.name]),
                Job('from stock to observing', stock, ['the other Debian: packages'], 'machine'),
                Job('from stock to observing, from source', stock_source, [], 'machine')], [], []
    builds = [
        root,
        Job('build, gcc', build, [], 'processors'),
        Job('build, clang', build_beside('clang', 'CC=' + clang, 'CFLAGS=-O1 -gline-tables-only',
                                        'CXXFLAGS=-O1 -gline-tables-only', 'LDFLAGS=-fuse-ld=lld', '--enable-sanitizers'),
            [], 'processors'),
    ]
    # Before all that waits for clocks: beside it they take four times as long, and everything needs them.
    runner.run(builds)
    units = [Job('make check, ' + x, unit(x), ['build, ' + x], None, True, max(LANES // 2, 1)) for x in ('clang', 'gcc')]
    ends = []
    # A corpus of real mail with known verdicts, where there is one beside the checkout.
    corpus = os.environ.get('MISSENT_CORPUS', TOP + '/../shared/corpus') + '/mail'
    if os.path.isdir(corpus):
        ends.append(Job('no message of the corpus is delivered wrongly',
                        step([TOP + '/tests/bench/mail', '--build', work + '/gcc', corpus]), ['build, gcc'], 'processors'))
    short = [
        Job('no blanks at line ends', step(
            "! grep -rnE '[ \t]+$' milter include tests --include='*.[ch]'", shell=True, cwd=source)),
        Job('make install', step(['make', '-C', work + '/gcc', '-s', 'install', 'DESTDIR=' + work + '/root']),
            ['build, gcc']),
    ]
    if ROOT:
        short += [Job('quickstart', quickstart, ['build, gcc'], 'quickstart'),
                  Job('quickstart where only root may enter', closed, ['build, gcc'], 'quickstart')]
    # The longest first: unit tests, then scenarios of both builds in turn, then what needs no other.
    both = zip(scenarios('gcc'), scenarios('clang', MS_SANITIZERS='1', ASAN_OPTIONS=LITTLE_KEPT))
    jobs = [first, *builds, *units, *(job for pair in both for job in pair), *short, *ends]
    # The last when nobody needs what was built any more.
    return jobs, others, [Job('what is installed, handed out and built is taken away again', taken_away)]


sys.exit(main())
