// The command's entrance: finds the subcommand, and turns what it throws into one line and an exit code.
import packageJson from '../../package.json' with { type: 'json' };
import { check, checkHelp } from './check.ts';
import { demo, demoHelp } from './demo.ts';
import { keys, keysHelp } from './keys.ts';
import { run } from './run.ts';
import { UsageError, runHelp } from './settings.ts';

const help = `sallyport: a Kubernetes ingress controller that knows who is asking

  sallyport run [FLAGS]     serve Ingresses from a cluster or a folder   (sallyport help run)
  sallyport check DIR       what a folder serves, and what is wrong      (sallyport help check)
  sallyport keys STEP       the key ring, and its rotation               (sallyport help keys)
  sallyport demo            everything on this computer, to try it       (sallyport help demo)
  sallyport version
`;

async function main([command, ...args]: readonly string[]): Promise<number> {
  const print = (text: string) => console.log(text.trimEnd());
  switch (command) {
    case 'run':
      return run(args);
    case 'check':
      return check(args, print);
    case 'keys':
      return keys(args, print);
    case 'demo':
      return demo(args);
    case 'version':
    case '--version':
      print(packageJson.version);
      return 0;
    case 'help':
    case '--help':
    case '-h':
      print({ run: runHelp(), check: checkHelp, keys: keysHelp, demo: demoHelp }[args[0] ?? ''] ?? help);
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
