import { CommandError, defineCommand } from '../command.ts';

/**
 * The scripts ask barge itself (`barge complete -- WORD...`) for what could come next, so that they know nothing of its
 * commands and need not be made again when those change.
 */
const scripts: Readonly<Record<string, string>> = {
  bash: `_barge() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(barge complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _barge barge
`,
  zsh: `#compdef barge
_barge() {
  local -a found
  found=("\${(@f)$(barge complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
compdef _barge barge
`,
  fish: `function __barge_complete
  set -l words (commandline -opc) (commandline -ct)
  barge complete -- $words[2..-1] 2>/dev/null
end
complete -c barge -f -a '(__barge_complete)'
`,
};

export const command = defineCommand({
  name: 'completion', group: 'Settings', summary: 'Print the script that completes barge in your shell.', usage: 'completion (bash | zsh | fish)',
  examples: [{ note: 'In bash, from now on', line: "completion bash >> ~/.bash_completion" }, { note: 'In this zsh', line: 'completion zsh > ~/.zfunc/_barge' }],
  flags: {},
  run: (context) => {
    const script = scripts[context.args[0] ?? ''];
    if (script === undefined) return Promise.reject(new CommandError(`say for which shell: ${Object.keys(scripts).join(', ')}`));
    context.stdout.write(script);
    return Promise.resolve(0);
  },
});
