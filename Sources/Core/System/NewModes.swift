// The modes of files and folders that the program makes.

internal import Glibc

/// The process keeps the umask of its caller: programs that it starts (drivers, filters, ssh, key programs) inherit it, and a umask of 0
/// would let all users write to what they make. So a mode that shall not depend on the umask is set after the file was made.
public enum NewModes: Sendable {
    /// As asked for (`neutral-umask`). Where that is not possible, on a file system without modes or on what belongs to another user, the
    /// mode stays as it is.
    case neutral
    /// What the umask leaves of it.
    case masked

    /// Permissions of a file or folder that this process made just now with `mode`.
    public func settle(_ descriptor: Int32, _ mode: UInt32) {
        var status = stat()
        guard self == .neutral, fstat(descriptor, &status) == 0, let wanted = Self.change(status.st_mode, to: mode) else { return }
        _ = fchmod(descriptor, wanted)
    }

    /// The same by path: a link that somebody has put there meanwhile is not followed.
    public func settle(_ path: String, _ mode: UInt32) {
        var status = stat()
        guard self == .neutral, lstat(path, &status) == 0, let wanted = Self.change(status.st_mode, to: mode) else { return }
        _ = fchmodat(AT_FDCWD, path, wanted, AT_SYMLINK_NOFOLLOW)
    }

    /// nil when it has the permissions. What a folder inherits from the one above it, its group say, stays.
    private static func change(_ now: UInt32, to mode: UInt32) -> UInt32? {
        now & 0o777 == mode & 0o777 ? nil : now & 0o7000 | mode & 0o777
    }
}
