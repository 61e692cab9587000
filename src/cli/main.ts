// The command's entrance: finds the subcommand, and turns what it throws into one line and an exit code.
import packageJson from '../../package.json' with { type: 'json' };
import { access, accessHelp } from './access.ts';
import { check, checkHelp } from './check.ts';
import { demo, demoHelp } from './demo.ts';
import { explain, explainHelp } from './explain.ts';
import { keys, keysHelp } from './keys.ts';
import { report, reportHelp } from './report.ts';
import { run } from './run.ts';
import { UsageError, runHelp } from './settings.ts';

const help = `sallyport: a Kubernetes ingress controller that knows who is asking

  sallyport run [FLAGS]     serve Ingresses from a cluster or a folder   (sallyport help run)
  sallyport check DIR       what a folder serves, and what is wrong      (sallyport help check)
  sallyport explain URL     would a request pass, and why                (sallyport help explain)
  sallyport access          who may open what                            (sallyport help access)
  sallyport report FILE     what enforcing Audit would change            (sallyport help report)
  sallyport keys STEP       the key ring, and its rotation               (sallyport help keys)
  sallyport demo            everything on this computer, to try it       (sallyport help demo)
  sallyport version
`;

const helps: Readonly<Record<string, () => string>> = {
  run: runHelp,
  check: () => checkHelp,
  explain: () => explainHelp,
  access: () => accessHelp,
  report: () => reportHelp,
  keys: () => keysHelp,
  demo: () => demoHelp,
};

async function main([command, ...args]: readonly string[]): Promise<number> {
  const print = (text: string) => console.log(text.trimEnd());
  switch (command) {
    case 'run':
      return run(args);
    case 'check':
      return check(args, print);
    case 'report':
      return report(args, print);
    case 'keys':
      return keys(args, print);
    case 'explain':
      return explain(args, print);
    case 'access':
      return access(args, print);
    case 'demo':
      return demo(args);
    case 'version':
    case '--version':
      print(packageJson.version);
      return 0;
    case 'help':
    case '--help':
    case '-h':
      print(helps[args[0] ?? '']?.() ?? help);
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
