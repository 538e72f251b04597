// What the command version prints.

public import BackstopCore

/// `pgBackstop 0.1.0` on a line, or with `--output=num` the bare number that scripts compare.
public func versionText(_ options: Options) -> String {
    options.string("output") == "num" ? Program.versionNumber : "\(Program.title) \(Program.version)\n"
}
