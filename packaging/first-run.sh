#!/bin/sh
# What "make run" does with the program that it built: the main job, on this machine, explained.
# Usage: first-run.sh PROGRAM
set -u

slipway=$1
stack=localagent

step() { printf '\n== %s\n   %s\n\n' "$1" "$2"; }

step "$slipway check $stack" "Does this machine have what the stack needs? Nothing is changed."
"$slipway" check "$stack" || printf '\n(The native profile goes on; the findings above say what will be tight.)\n'

step "$slipway install $stack --yes --defer" \
  "The plan, then the steps, side by side. What cannot be reached from here is put off, not faked."
"$slipway" install "$stack" --yes --defer || {
  status=$?
  printf '\nThe installation did not succeed (status %s). The lines above say what was undone and\n' "$status"
  printf 'what to do next; the log has every detail.\n'
  exit "$status"
}

step "$slipway status" "What is on this machine now, and what was put off."
"$slipway" status || exit

cat <<TXT

What comes next
  $slipway resume                    finish what was deferred, once its source can be reached
  $slipway keys set OPENAI_API_KEY   keep a provider key, encrypted; or use Ollama without any key
  $slipway uninstall $stack      take all of it away again
  $slipway help                      everything else
TXT
if [ -x "$HOME/.local/bin/$stack" ]; then
  printf '  ~/.local/bin/%s --help\n' "$stack"
fi
