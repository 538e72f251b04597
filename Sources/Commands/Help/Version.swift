// What the command version prints.

public import BackstopCore

/// `pgBackstop 0.1.0` on a line, or with `--output=num` the bare number that scripts compare. Under the name pgbackrest both are those of the
/// pgBackRest whose place it takes; `--verbose` tells the truth.
public func versionText(_ options: Options, _ dialect: Dialect) -> String {
    if options[RunOptions.output] == "num" { return dialect == .own ? Program.versionNumber : Dialect.peersVersionNumber }
    let own = "\(Program.title) \(Program.version)"
    let peers = "\(Program.peersTitle) \(Dialect.peersVersion)"
    guard options[InspectionOptions.verbose] else { return (dialect == .own ? own : peers) + "\n" }
    return dialect == .own
        ? "\(own)\nUnder the name pgbackrest it answers as \(peers).\n" : "\(peers)\nThis is \(own), called by the name pgbackrest.\n"
}

extension Configuration {
    /// For the first line of the log.
    public var versionOfLog: String {
        dialect == .own ? Program.version : "\(Dialect.peersVersion) (\(Program.title) \(Program.version))"
    }
}
