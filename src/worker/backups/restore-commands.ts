/** As `docs/storage.md` has them, where a test runs them with the tools they name. */
export const RESTORE_COMMANDS = `set -euo pipefail
mkdir restored
jq -r '.recent[-1].needs[]' manifest.json | sort -t. -k1,1n -k2,2n | while IFS=. read -r generation index; do
  file=$(printf 'packs/%010d/%04d.pack' "$generation" "$index")
  age -d -i key.txt "$file" | zstd -dq | tar -x --unlink-first -C restored
done
cd restored
list=.moltworker/generation.json
# Large files from their parts; a file that became shorter has parts left over from before.
jq -r '.files[] | select(.parts) | "\\(.size) \\(.path)"' "$list" | while read -r size path; do
  mkdir -p "$(dirname "$path")"
  { cat ".moltworker/parts/$path/"* || true; } | head -c "$size" > "$path.joined"
  mv "$path.joined" "$path"
done
# What older packs still hold of files that were deleted since.
jq -r '.files[].path' "$list" | sort > .moltworker/kept
find .openclaw -type f | sort | comm -13 .moltworker/kept - | while read -r path; do rm -- "$path"; done
jq -r '.folders[].path' "$list" > .moltworker/folders
find .openclaw -depth -type d | { grep -vxFf .moltworker/folders || true; } | while read -r path; do rmdir -- "$path"; done
jq -r '.folders[].path' "$list" | while read -r path; do mkdir -p "$path"; done
jq -r '.links[] | "\\(.target)\\t\\(.path)"' "$list" | while IFS=$'\\t' read -r target path; do ln -sfn "$target" "$path"; done
jq -r '.files[], .folders[] | "\\(.mode) \\(.path)"' "$list" | while read -r mode path; do
  chmod "$(printf '%o' "$mode")" "$path"
done
rm -r .moltworker
`;
