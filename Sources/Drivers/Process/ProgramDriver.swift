// A storage driver that is a program: `tape = exec PROGRAM …` in plugins.conf.

public import BackstopCore

/// The driver `name`, which is started with `command` when a repository of that type is opened.
public func programDriver(_ name: String, _ command: [String]) -> StorageDriver {
    let start = { @Sendable (options: Options, context: DriverContext) throws(BackupError) -> (DriverProgram, Conversation) in
        let program = DriverProgram(
            name: "driver '\(name)'", command: command, patience: Channel.Patience(options), log: context.log)
        return (program, try program.start())
    }
    return StorageDriver(
        name: name,
        describe: { (options, context) throws(BackupError) in try start(options, context).1.description },
        open: { (options, index, context) throws(BackupError) in
            let (program, first) = try start(options, context)
            let own = try first.description.options(of: name, in: options, index)
            if !own.isEmpty {
                context.log.write(.detail, "\(program.name) is opened with \(first.description.shown(own, of: name, index))")
            }
            let configuration: [String: JSON] = ["path": .string(options[PlaceOptions.path, index]), "options": .object(own)]
            return try ProcessStorage.start(Conversations(program, configuration), first)
        })
}

extension Channel.Patience {
    /// From `protocol-timeout` and `io-timeout`.
    public init(_ options: Options) {
        self.init(
            answer: options[NetworkOptions.protocolTimeout], transfer: options[NetworkOptions.ioTimeout])
    }
}
