import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Reads which process groups live, and ends them with their files when its input ends, which the kernel sees to when
 * this process dies, also by SIGKILL. A shell, because it costs 1 MB, and of its own group, because Ctrl-C must not reach it.
 */
const script = `
groups=
containers=
while read -r operation group; do
  case $operation in
    add) groups="$groups $group" ;;
    drop) rest=; for g in $groups; do [ "$g" = "$group" ] || rest="$rest $g"; done; groups=$rest ;;
    container) containers="$containers $group" ;;
    keep) shift $# ;;
  esac
done
for g in $groups; do kill -s KILL -- "-$g" 2>/dev/null; done
[ -z "$containers" ] || docker rm -f -v $containers >/dev/null 2>&1
[ $# -eq 0 ] || rm -rf -- "$@"
`;

/** Sees to it that nothing outlives this process. One for all the children of a stack. */
export class Guard {
  readonly #child: ChildProcess;

  /** @param leftovers folders of ours that go with us when we are killed */
  constructor(leftovers: readonly string[] = []) {
    this.#child = spawn('/bin/sh', ['-c', script, 'expunge-guard', ...leftovers], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.unref();
  }

  add(group: number): void {
    this.#tell(`add ${group}`);
  }

  drop(group: number): void {
    this.#tell(`drop ${group}`);
  }

  /** Removes it when this process has ended, if there is a `docker` to do so. */
  addContainer(id: string): void {
    this.#tell(`container ${id}`);
  }

  /** Leaves the folders where they are. */
  keep(): void {
    this.#tell('keep');
  }

  /** Ends whatever still runs, as it would when this process died. */
  end(): void {
    this.#child.stdin?.end();
  }

  #tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }
}
