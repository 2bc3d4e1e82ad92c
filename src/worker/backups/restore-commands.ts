/** As `docs/storage.md` has them, where a test runs them with the tools they name. */
export const RESTORE_COMMANDS = `set -euo pipefail
# The newest generation. An older one: jq '.recent[] | select(.n == 42)'
jq '.recent[-1]' manifest.json > generation.json
mkdir restored unpacked
# Each pack into a folder of its own: what was a file in one may be a folder in another.
jq -r '.needs[]' generation.json | while IFS=. read -r generation index; do
  mkdir "unpacked/$generation.$index"
  file=$(printf 'packs/%010d/%04d.pack' "$generation" "$index")
  < "$file" age -d -i key.txt | zstd -dq | tar -x -C "unpacked/$generation.$index"
done
list="unpacked/$(jq -r '.list.pack' generation.json)/.moltworker/generation.json"
# The list says what there is, and in which pack it lies.
jq -r '.folders[].path' "$list" | while IFS= read -r path; do mkdir -p "restored/$path"; done
jq -r '.packs as $packs | .files[] | select(.parts | not) | "\\($packs[.pack])\\t\\(.path)"' "$list" |
  while IFS=$'\\t' read -r pack path; do
    mkdir -p "restored/$(dirname "$path")"
    mv "unpacked/$pack/$path" "restored/$path"
  done
# Large files, part by part.
jq -r '.packs as $packs | .files[] | select(.parts) | .path as $path | .parts | to_entries[]
  | "\\($packs[.value[1]])\\t\\(.key)\\t\\($path)"' "$list" |
  while IFS=$'\\t' read -r pack part path; do
    mkdir -p "restored/$(dirname "$path")"
    cat "unpacked/$pack/.moltworker/parts/$path/$(printf '%08d' "$part")" >> "restored/$path"
  done
jq -r '.links[] | "\\(.target)\\t\\(.path)"' "$list" |
  while IFS=$'\\t' read -r target path; do
    mkdir -p "restored/$(dirname "$path")"
    ln -s "$target" "restored/$path"
  done
jq -r '.files[], (.folders | sort_by(.path) | reverse[]) | "\\(.mode)\\t\\(.path)"' "$list" |
  while IFS=$'\\t' read -r mode path; do chmod "$(printf '%o' "$mode")" "restored/$path"; done
rm -rf unpacked
`;
