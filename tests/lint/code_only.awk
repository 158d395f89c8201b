# SPDX-License-Identifier: Apache-2.0
# Prints C files as FILE:LINE:CODE with comments removed and the text of literals blanked, so that a search
# finds code only. Lines of the preprocessor keep their literals: a search for headers needs them.
FNR == 1 { in_comment = 0 }
{
  rest = $0
  code = ""
  keep = !in_comment && rest ~ /^[ \t]*#/
  while (rest != "") {
    if (in_comment) {
      stop = index(rest, "*/")
      if (!stop) break
      rest = substr(rest, stop + 2)
      in_comment = 0
      code = code " "
    } else if (substr(rest, 1, 2) == "/*") {
      in_comment = 1
      rest = substr(rest, 3)
    } else if (!keep && match(rest, /^"([^"\\]|\\.)*"/)) {
      rest = substr(rest, RLENGTH + 1)
      code = code "\"\""
    } else if (!keep && match(rest, /^'([^'\\]|\\.)+'/)) {
      rest = substr(rest, RLENGTH + 1)
      code = code "' '"
    } else {
      code = code substr(rest, 1, 1)
      rest = substr(rest, 2)
    }
  }
  if (code !~ /^[ \t]*$/) print FILENAME ":" FNR ":" code
}
