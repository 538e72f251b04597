// A repository on another host, reached through the system's ssh client: that host runs `pgbackstop serve`.

internal import BackstopCore

/// No storage code: the far end is an ordinary storage, served on the standard input and output of ssh. With `repo-type=ssh` it is the
/// folder `repo-path` there; otherwise the configuration of that host says what its repository of this number is.
let ssh = StorageDriver(name: "ssh", place: .otherHost, hasLinks: true) { (options, index, context) async throws(BackupError) in
    let host = try SSHHost(options, RepositoryHostOptions.keys, index)
    let isFolder = options[PlaceOptions.type, index] == "ssh"
    let program = host.serve(isFolder ? [] : ["--repo=\(index)"], context)
    let first = try host.start(program)
    let configuration: [String: JSON] = isFolder ? ["path": .string(options[PlaceOptions.path, index])] : [:]
    return try ProcessStorage.start(Conversations(program, configuration, locks: context.locks?.wire), first, host: host.name)
}
