// Options of backups (cli.md section 1.3, Backup).

import BackstopCore

let backupOptions = OptionSpec.section(
    "Backup",
    [
        .global("annotation", .map, ["annotate", "backup"], "note to keep with the backup")
            .requiredBy(["annotate"])
            .details("KEY=VALUE, repeatable. 'info --set' shows them. An empty value given to annotate removes the note."),
        .global("backup-standby", .choice(["n", "prefer", "y"]), default: "n", ["backup", "check"], "copy from a standby")
            .negatable().unsupportedValues("prefer", "y").instead("n")
            .details("y needs a standby; prefer takes one where there is one. The backup begins and ends on the primary."),
        .global("checksum-page", .boolean, Commands.backup, "check the checksums of pages while they are copied")
            .details("When unset, done where the cluster has checksums. Bad pages are reported, the backup goes on."),
        .global("page-header-check", .boolean, default: "y", Commands.backup, "check the headers of pages as well")
            .details("Off for clusters with data encrypted in place, where a header looks like noise."),
        .global("delta", .boolean, default: "n", ["backup", "restore"], "go by checksums instead of size and time")
            .unsupportedFor("backup").instead("n")
            .details("restore: keeps the files that are right and replaces the others, so the folders need not be empty."),
        .global("exclude", .list, Commands.backup, "path to leave out").fileNames()
            .details("Relative to the data directory, repeatable. With / at its end only what is in the folder is left out."),
        .global("expire-auto", .boolean, default: "y", Commands.backup, "expire old backups after a good one")
            .unsupportedValues("y").instead("n").details("Otherwise run expire yourself."),
        .global("manifest-save-threshold", .size(1...TiB), default: "1GiB", Commands.backup, "save the state of the backup each time after")
            .unsupported().instead("1GiB").details("An aborted backup resumes from the state saved last."),
        .global("resume", .boolean, default: "y", Commands.backup, "go on with an aborted backup")
            .unsupportedValues("y").instead("n").details("Files that the aborted backup finished are checked and kept."),
        .global("start-fast", .boolean, default: "n", Commands.backup, "begin with a checkpoint at once")
            .details("Otherwise the backup waits for the next one, which may take as long as checkpoint_timeout."),
        .global("stop-auto", .boolean, default: "n", Commands.backup, "end a backup that was left running")
            .details("Old and without effect: the server ends it by itself."),
    ])
