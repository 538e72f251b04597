// Options of backups (cli.md section 1.3, Backup).

import BackstopCore

enum BackupOptions {
    static let annotation = OptionKey<[String: String]>(
        .global("annotation", .map, ["annotate", "backup"], "note to keep with the backup")
            .requiredBy(["annotate"])
            .details("KEY=VALUE, repeatable. 'info --set' shows them. An empty value given to annotate removes the note."))
    static let backupStandby = OptionKey<String>(
        .global("backup-standby", .choice(["n", "prefer", "y"]), default: "n", ["backup", "check"], "copy from a standby")
            .negatable()
            .details(
                """
                y: the backup begins and ends on the primary, and what WAL replay writes is copied from a standby, once it has replayed \
                the begin. It needs one of pg1, pg2, ... to be a standby. prefer: the same where a standby keeps up, else all is copied from \
                the primary. With both, a standby is backed up alone when no primary answers: its last WAL segment is waited for until the \
                primary has archived it.
                """))
    static let checksumPage = OptionKey<Bool?>(
        .global("checksum-page", .boolean, CommandSets.backup, "check the checksums of pages while they are copied")
            .details("When unset, done where the cluster has checksums. Bad pages are reported, the backup goes on."))
    static let checksumPageError = OptionKey<Bool>(
        .global("checksum-page-error", .boolean, default: "n", ["backup", "expire", "restore"], "take bad pages for an error")
            .defaultsByCommand(["restore": "y", "expire": "y"])
            .details(
                """
                backup: ends at the first file with a bad page instead of telling of it. restore: ends at a file that had bad pages when it was \
                backed up. expire: keeps everything when the oldest backup that would stay has bad pages.
                """))
    static let pageHeaderCheck = OptionKey<Bool>(
        .global("page-header-check", .boolean, default: "y", CommandSets.backup, "check the headers of pages as well")
            .details("Off for clusters with data encrypted in place, where a header looks like noise."))
    static let delta = OptionKey<Bool>(
        .global("delta", .boolean, default: "n", ["backup", "restore"], "go by checksums instead of size and time")
            .details(
                """
                backup: files that have the size of the prior backup are read and compared, whatever their time says. \
                restore: keeps the files that are right and replaces the others, so the folders need not be empty.
                """))
    static let exclude = OptionKey<[String]>(
        .global("exclude", .list, CommandSets.backup, "path to leave out").fileNames()
            .details("Relative to the data directory, repeatable. With / at its end only what is in the folder is left out."))
    static let expireAuto = OptionKey<Bool>(
        .global("expire-auto", .boolean, default: "y", CommandSets.backup, "expire old backups after a good one")
            .unsupportedValues("y").instead("n").details("Otherwise run expire yourself."))
    static let manifestSaveThreshold = OptionKey<Int>(
        .global(
            "manifest-save-threshold", .size(1...TiB), default: "1GiB", CommandSets.backup, "save the state of the backup each time after"
        )
        .details("An aborted backup resumes from the state saved last. At most a hundred times in all."))
    static let resume = OptionKey<Bool>(
        .global("resume", .boolean, default: "y", CommandSets.backup, "go on with an aborted backup")
            .details("Files that the aborted backup finished are checked and kept."))
    static let startFast = OptionKey<Bool>(
        .global("start-fast", .boolean, default: "n", CommandSets.backup, "begin with a checkpoint at once")
            .details("Otherwise the backup waits for the next one, which may take as long as checkpoint_timeout."))
    static let stopAuto = OptionKey<Bool>(
        .global("stop-auto", .boolean, default: "n", CommandSets.backup, "end a backup that was left running")
            .details("Old and without effect: the server ends it by itself."))

    static let specs: [OptionSpec] = OptionSpec.section(
        "Backup",
        [
            annotation.spec, backupStandby.spec, checksumPage.spec, checksumPageError.spec, pageHeaderCheck.spec, delta.spec, exclude.spec,
            expireAuto.spec,
            manifestSaveThreshold.spec, resume.spec, startFast.spec, stopAuto.spec,
        ])
}
