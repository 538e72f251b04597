// The drivers of this build, one line each.

public import BackstopCore

/// All storage drivers of this module, under their names in plugins.conf, and the options of those that are to come.
public func registerBuiltinDrivers(in registry: inout Registry) {
    registry.register(posix)
    registry.register(cifs)
    registry.register(s3)
    registry.register(sftp)
    registry.register(ssh)
    registry.announce("azure", ObjectStoreOptions.specs + AzureOptions.specs)
    registry.announce("gcs", ObjectStoreOptions.specs + GCSOptions.specs)
}

/// A folder of this host, also on a mounted network file system.
private let posix = StorageDriver(name: "posix", place: .thisHost, hasLinks: true, open: openFolder)

/// The same where the file system has no links.
private let cifs = StorageDriver(name: "cifs", variantOf: "posix", place: .thisHost, hasLinks: false, open: openFolder)

@Sendable private func openFolder(_ options: Options, _ index: Int, _ context: DriverContext) async throws(BackupError) -> any Storage {
    PosixStorage(root: options[PlaceOptions.path, index], modes: .repository.made(options.newModes), isConfined: context.isConfined)
}
