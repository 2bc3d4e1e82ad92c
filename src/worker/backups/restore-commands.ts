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
# The list says what there is, and in which pack it lies. A NUL ends each name: it may hold any other character.
jq -j '.folders[] | "\\(.path)\\u0000"' "$list" |
  while IFS= read -r -d '' path; do mkdir -p "restored/$path"; done
jq -j '.packs as $packs | .files[] | select(.parts | not)
  | "\\($packs[.pack])\\u0000\\(.path)\\u0000"' "$list" |
  while IFS= read -r -d '' pack && IFS= read -r -d '' path; do
    mv "unpacked/$pack/$path" "restored/$path"
  done
# Large files, part by part.
jq -j '.packs as $packs | .files[] | select(.parts) | .path as $path | .parts | to_entries[]
  | "\\($packs[.value[1]])\\u0000\\(.key)\\u0000\\($path)\\u0000"' "$list" |
  while IFS= read -r -d '' pack && IFS= read -r -d '' part && IFS= read -r -d '' path; do
    cat "unpacked/$pack/.moltworker/parts/$path/$(printf '%08d' "$part")" >> "restored/$path"
  done
jq -j '.links[] | "\\(.target)\\u0000\\(.path)\\u0000"' "$list" |
  while IFS= read -r -d '' target && IFS= read -r -d '' path; do
    ln -s -- "$target" "restored/$path"
  done
jq -j '.files[], (.folders | sort_by(.path) | reverse[]) | "\\(.mode)\\u0000\\(.path)\\u0000"' "$list" |
  while IFS= read -r -d '' mode && IFS= read -r -d '' path; do
    chmod "$(printf '%o' "$mode")" "restored/$path"
  done
rm -rf unpacked
`;

/** In place of the line of those that reads the manifest. */
export const WITHOUT_MANIFEST_COMMANDS = `set -euo pipefail
# The newest first. The list is in a generation's last pack; where it is missing, the next older one is tried.
for folder in $(ls -r packs); do
  last=$(ls "packs/$folder" | tail -n 1)
  < "packs/$folder/$last" age -d -i key.txt | zstd -dq |
    tar -xO .moltworker/generation.json > list.json && break
done
jq -e '.generation as $n | .packs | {
  needs: .,
  list: {pack: map(select(startswith("\\($n)."))) | max_by(split(".")[1] | tonumber)}
}' list.json > generation.json
`;
