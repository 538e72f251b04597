// The drivers of this build, one line each.

public import BackstopCore

public func registerBuiltinDrivers(in registry: inout Registry) {
    registry.register(posix)
    registry.register(s3)
    registry.register(sftp)
    registry.register(ssh)
}

/// A folder of this host, also on a mounted network file system.
private let posix = StorageDriver(name: "posix") { (options, index, context) async throws(BackupError) in
    PosixStorage(
        root: try options.required("repo-path", index), modes: .repository.made(options.newModes), isConfined: context.isConfined)
}
