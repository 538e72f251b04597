// Options of archiving WAL and getting it back (cli.md section 1.3, Archive).

import BackstopCore

enum ArchiveOptions {
    static let async = OptionKey<Bool>(
        .global("archive-async", .boolean, default: "n", CommandSets.archive, "push ahead, and get ahead, in the background")
            .unsupportedValues("y").instead("n").details(
                "A background process works while the server asks for one segment after the other."))
    static let timeout = OptionKey<Duration>(
        .global(
            "archive-timeout", .time(100...day), default: "1m", CommandSets.archive.union(["backup", "check"]), "time for WAL to arrive"
        )
        .details(
            """
            How long backup and check wait for a segment in the repository, and archive-get for a repository that does not answer.
            """))
    static let getFailure = OptionKey<String>(
        .global(
            "archive-get-failure", .choice(["stop", "continue"]), default: "stop", ["archive-get"],
            "what a recovery does when it is not known whether a repository has the WAL"
        )
        .details(
            """
            PostgreSQL takes every exit status from 1 to 125 for the end of the archive, and promotes. With stop, archive-get ends with \
            200 then, and the server stops; it goes on with the recovery when it is started again. With continue it ends with the \
            number of the error, and the recovery ends there without the rest of the WAL. A standby asks again by itself and gets \
            the number of the error.
            """))
    static let check = OptionKey<Bool>(
        .global(
            "archive-check", .boolean, default: "y", ["archive-push", "backup", "check"],
            "make sure that a backup's WAL is in the repository"
        )
        .details("A backup without its WAL cannot be restored, unless archive-copy put it into the backup."))
    static let modeCheck = OptionKey<Bool>(
        .global(
            "archive-mode-check", .boolean, default: "y", ["archive-push", "backup", "check"], "refuse clusters with archive_mode=always"
        )
        .when("archive-check", "y", otherwise: "n").details("There a standby pushes the same segments as its primary."))
    static let copy = OptionKey<Bool>(
        .global("archive-copy", .boolean, default: "n", CommandSets.backup, "put the WAL that the backup needs into it")
            .details("Such a backup can be restored without the archive; its WAL is stored twice."))
    static let headerCheck = OptionKey<Bool>(
        .global("archive-header-check", .boolean, default: "y", ["archive-push"], "make sure that WAL is from this cluster")
            .details("Compares version and system identifier in each segment with the stanza."))
    static let pushQueueMax = OptionKey<Int?>(
        .global("archive-push-queue-max", .size(0...4 * PiB), ["archive-push"], "give up WAL when more than this is waiting")
            .oldNames("archive-queue-max")
            .details(
                """
                The segments are dropped and reported as archived: the server goes on instead of filling its disk, and recovery to \
                a point after them needs a new backup.
                """))
    static let pushBatchSize = OptionKey<Int>(
        .global("archive-push-batch-size", .size(MiB...4 * PiB), default: "16GiB", ["archive-push"], "WAL that one background run takes on")
            .unsupported().instead("16GiB").details("Only with archive-async."))
    static let getQueueMax = OptionKey<Int>(
        .global("archive-get-queue-max", .size(0...4 * PiB), default: "128MiB", ["archive-get"], "WAL that is fetched ahead")
            .unsupported().instead("128MiB").details("Only with archive-async."))
    static let missingRetry = OptionKey<Bool>(
        .global("archive-missing-retry", .boolean, default: "y", ["archive-get"], "ask again for WAL that was missing a moment ago")
            .unsupported().instead("y").details("Only with archive-async."))

    static let specs: [OptionSpec] = OptionSpec.section(
        "Archive",
        [
            async.spec, timeout.spec, getFailure.spec, check.spec, modeCheck.spec, copy.spec, headerCheck.spec, pushQueueMax.spec,
            pushBatchSize.spec, getQueueMax.spec, missingRetry.spec,
        ])
}
