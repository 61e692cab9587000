// The command's entrance: finds the subcommand, and turns what it throws into one line and an exit code.
import packageJson from '../../package.json' with { type: 'json' };
import { UsageError } from './settings.ts';

const help = `sallyport: a Kubernetes ingress controller that knows who is asking

  sallyport run [FLAGS]     serve Ingresses from a cluster or a folder   (sallyport help run)
  sallyport check DIR       what a folder serves, and what is wrong      (sallyport help check)
  sallyport explain URL     would a request pass, and why                (sallyport help explain)
  sallyport access          who may open what                            (sallyport help access)
  sallyport report FILE     what enforcing Audit would change            (sallyport help report)
  sallyport sessions        who is signed in, and ending it now          (sallyport help sessions)
  sallyport keys STEP       the key ring, and its rotation               (sallyport help keys)
  sallyport demo            everything on this computer, to try it       (sallyport help demo)
  sallyport version
`;

type Print = (text: string) => void;

interface Command {
  readonly run: (args: readonly string[], print: Print) => Promise<number>;
  readonly help: string;
}

/** Loaded one by one: all of them together take half a second. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => ({ run: (await import('./run.ts')).run, help: (await import('./settings.ts')).runHelp() }),
  check: async () => import('./check.ts').then(({ check, checkHelp }) => ({ run: check, help: checkHelp })),
  explain: async () => import('./explain.ts').then(({ explain, explainHelp }) => ({ run: explain, help: explainHelp })),
  access: async () => import('./access.ts').then(({ access, accessHelp }) => ({ run: access, help: accessHelp })),
  report: async () => import('./report.ts').then(({ report, reportHelp }) => ({ run: report, help: reportHelp })),
  sessions: async () =>
    import('./sessions.ts').then(({ sessions, sessionsHelp }) => ({ run: sessions, help: sessionsHelp })),
  keys: async () => import('./keys.ts').then(({ keys, keysHelp }) => ({ run: keys, help: keysHelp })),
  demo: async () => import('./demo.ts').then(({ demo, demoHelp }) => ({ run: demo, help: demoHelp })),
};

async function main([command, ...args]: readonly string[]): Promise<number> {
  const print = (text: string) => console.log(text.trimEnd());
  const known = (name = '') => (Object.hasOwn(commands, name) ? commands[name]?.() : undefined);
  const called = await known(command);
  if (called !== undefined) return called.run(args, print);
  switch (command) {
    case 'version':
    case '--version':
      print(packageJson.version);
      return 0;
    case 'help':
    case '--help':
    case '-h':
      print((await known(args[0]))?.help ?? help);
      return 0;
    default:
      throw new UsageError(
        command === undefined ? `a command is wanted\n\n${help}` : `there is no command ${command} (sallyport help)`,
      );
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`sallyport: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
// Whatever still hangs on (a keep-alive connection, a timer) has nothing left to do.
process.exit();
