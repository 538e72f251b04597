// Options of the commands that look into a repository (cli.md section 1.3).

import BackstopCore

enum InspectionOptions {
    static let detailLevel = OptionKey<String>(
        .commandLine("detail-level", .choice(["full", "progress"]), default: "full", ["info"], "how much is shown")
            .details("progress shows only how far a running backup or restore is."))
    static let filter = OptionKey<String?>(
        .commandLine("filter", .string, ["manifest", "repo-ls"], "pattern for names").unsupported().details("A regular expression."))
    static let recurse = OptionKey<Bool>(
        .commandLine("recurse", .boolean, default: "n", ["repo-ls", "repo-rm"], "include what is in folders").unsupported().details(
            "At any depth."))
    static let sort = OptionKey<String>(
        .commandLine("sort", .choice(["none", "asc", "desc"]), default: "asc", ["repo-ls"], "order of names").unsupported()
            .details("none is the order in which the storage tells them."))
    static let ignoreMissing = OptionKey<Bool>(
        .commandLine("ignore-missing", .boolean, default: "n", ["repo-get"], "say nothing about a missing file").unsupported()
            .details("The exit status is 1 then."))
    static let raw = OptionKey<Bool>(
        .commandLine("raw", .boolean, default: "n", ["repo-get"], "neither decrypt nor decompress").unsupported().details(
            "The bytes as stored."))
    static let reference = OptionKey<String?>(
        .commandLine("reference", .string, ["manifest"], "show the files that are in this earlier backup").unsupported()
            .details("A label."))
    static let pg = OptionKey<Int?>(
        .commandLine("pg", .integer(1...256), ["manifest", "serve"], "index of the cluster to look at").details(
            "serve: serves that cluster; without it a repository."))
    static let verbose = OptionKey<Bool>(
        .commandLine("verbose", .boolean, default: "n", ["verify", "version"], "show more").unsupportedFor("verify")
            .details("For each archive and backup."))
    static let removeUploads = OptionKey<Duration?>(
        .commandLine("remove-uploads", .time(100...3650 * day), ["check"], "remove unfinished uploads that are at least so old")
            .details(
                "An object store keeps, and charges for, what a killed run had begun to upload. No listing shows it but that of check."))
    static let report = OptionKey<Bool>(
        .commandLine("report", .boolean, default: "n", ["check"], "write a report for support").unsupported().details(
            "Not made by this program."))

    static let specs: [OptionSpec] =
        OptionSpec.section(
            "Inspection",
            [detailLevel.spec, filter.spec, recurse.spec, sort.spec, ignoreMissing.spec, raw.spec, reference.spec, pg.spec, verbose.spec])
        + OptionSpec.section(
            "Internal", isHidden: true,
            [removeUploads.spec, report.spec])
}
