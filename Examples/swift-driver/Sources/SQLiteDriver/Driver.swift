// What the driver says about itself, once for both ways to use it.

public import BackstopCore

public let sqliteDescription = DriverDescription(
    name: "sqlite", capabilities: .putIfAbsent,
    options: [OptionSpec(own: "file", .path, isRequired: true, "the SQLite file")])

/// `path`: repoN-path. `options`: as the description says.
public func openSQLite(_ path: String, _ options: JSON) throws(BackupError) -> any Storage {
    try SQLiteStorage(file: options["file"]?.string ?? "", prefix: path)
}
