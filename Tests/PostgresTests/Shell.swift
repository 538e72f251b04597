// Runs programs, and finds the golden repositories.

import Foundation

enum Shell {
    struct Failure: Error { var command: String, status: Int32, output: String }

    /// What `command` writes; throws when its status is not 0. The output goes to a file and not through a pipe, and not through
    /// Foundation's Process: a server that `command` leaves behind inherits their descriptors, and they would never end.
    @discardableResult
    static func run(_ command: String...) throws -> Data { try run(command) }

    @discardableResult
    static func run(_ command: [String]) throws -> Data {
        let path = NSTemporaryDirectory() + "backstop-output-\(UUID().uuidString)"
        let output = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        defer { close(output) }
        unlink(path)

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        var arguments = (["sh", "-c", "cd / && exec \"$@\"", "sh"] + command).map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let failure = posix_spawn(&process, "/bin/sh", &actions, nil, &arguments, environ)
        guard failure == 0 else { throw POSIXError(.init(rawValue: failure) ?? .EIO) }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}

        lseek(output, 0, SEEK_SET)
        let data = FileHandle(fileDescriptor: output).readDataToEndOfFile()
        guard status == 0 else {
            throw Failure(command: command.joined(separator: " "), status: status, output: String(decoding: data, as: UTF8.self))
        }
        return data
    }
}

enum Golden {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Golden").path

    /// One file of a golden repository, decompressed when its name says gz or zst.
    static func file(_ repository: String, _ path: String) throws -> [UInt8] {
        let archive = "\(folder)/\(repository)/repo.tar.xz"
        let unpack = path.hasSuffix(".gz") ? "gzip -dc" : path.hasSuffix(".zst") ? "zstd -dcq" : "cat"
        return [UInt8](try Shell.run("sh", "-c", "tar xJOf \(archive) \(path) | \(unpack)"))
    }
}
