// The whole main of a driver in Swift that is a program of its own.

import Glibc

extension DriverDescription {
    /// Serves on standard input and output until pgBackstop ends the conversation; answers the exit status for the process. `open` gets
    /// `repoN-path` and the options of the description, as a JSON object, checked: integers and sizes are numbers, booleans are booleans.
    public func serve(open: @escaping @Sendable (_ path: String, _ options: JSON) async throws(BackupError) -> any Storage) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        let status = Served()
        Lane.onThisThread {
            let channel = Channel(
                input: STDIN_FILENO, output: STDOUT_FILENO, peer: "pgBackstop",
                patience: Channel.Patience(answer: .seconds(3600), transfer: .seconds(3600)))
            var server = StorageServer(channel, self) { (configuration) throws(BackupError) in
                ServedStorage(try await open(configuration["path"]?.string ?? "", configuration["options"] ?? .object([:])))
            }
            do throws(BackupError) {
                try await server.run()
            } catch {
                var terminal = LogSink(STDERR_FILENO)
                terminal.write("\(error)\n")
                status.code = error.code.exitStatus
            }
        }
        return status.code
    }

    /// Written by the lane, which has ended when it is read.
    private final class Served: @unchecked Sendable { var code: Int32 = 0 }
}
