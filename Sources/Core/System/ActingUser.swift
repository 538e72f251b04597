// Work on files as another user than the one that started the program.

internal import Glibc

/// For a command that root started: what the owner of a folder can put there (links, above all) must not make root change or remove something
/// elsewhere. All threads of the process work with the rights of that user until `end`; programs that are started get those of root back.
public struct ActingUser: Sendable {
    private let user: uid_t
    private let group: gid_t
    /// Of root.
    private let groups: [gid_t]
    private let own: gid_t

    /// Throws `.denied` when root cannot become that user. `user`, `group`: of this host.
    public init(user: String, group: String) throws(BackupError) {
        guard let account = getpwnam(user), let groupID = getgrnam(group)?.pointee.gr_gid else {
            throw BackupError(.denied, "unable to work as user '\(user)', group '\(group)': there is none of that name")
        }
        (self.user, self.group) = (account.pointee.pw_uid, groupID)
        var groups = [gid_t](repeating: 0, count: Int(max(0, getgroups(0, nil))))
        let count = getgroups(Int32(groups.count), &groups)
        self.groups = Array(groups.prefix(Int(max(0, count))))
        own = getegid()
        guard initgroups(user, groupID) == 0, setegid(groupID) == 0, seteuid(self.user) == 0 else {
            let number = errno
            end()
            throw BackupError(.denied, "unable to work as user '\(user)': \(systemMessage(number))")
        }
    }

    /// Gives all threads the rights back that they began with. A second time it changes nothing.
    public func end() {
        _ = seteuid(getuid())
        _ = setegid(own)
        _ = setgroups(groups.count, groups)
    }

    /// Makes a folder where that user may not, and gives it and the missing ones above it to them. No link is followed: what is missing is
    /// made in the real folder, and nobody else can write there. Throws `.pathCreate`.
    public func makeFolderAsRoot(_ path: String) throws(BackupError) {
        _ = seteuid(getuid())
        defer { _ = seteuid(user) }
        var missing: [String] = []
        var standing = path.pathParts.map { String($0) }
        while pathStatus("/" + standing.joined(separator: "/")) == nil, let name = standing.popLast() { missing.insert(name, at: 0) }
        func failed() -> BackupError { BackupError(.pathCreate, "unable to create path '\(path)': \(systemMessage(errno))") }
        guard let real = realPath("/" + standing.joined(separator: "/")) else { throw failed() }
        var folder = real.withSystemName { open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
        defer { close(folder) }
        for name in missing {
            guard name.withSystemName({ mkdirat(folder, $0, 0o750) }) == 0 else { throw failed() }
            let made = name.withSystemName { openat(folder, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
            guard made >= 0 else { throw failed() }
            close(folder)
            folder = made
            guard fchown(made, user, group) == 0, fchmod(made, 0o750) == 0 else { throw failed() }
        }
    }

    /// Gives an empty folder of root to that user.
    public func adopt(_ path: String) throws(BackupError) {
        _ = seteuid(getuid())
        defer { _ = seteuid(user) }
        let folder = path.withSystemName { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        defer { close(folder) }
        guard folder >= 0, fchown(folder, user, group) == 0 else {
            throw BackupError(.denied, "unable to set owner of '\(path)': \(systemMessage(errno))")
        }
    }

    /// Whether the process as it is now may read what is there.
    public static func mayRead(_ path: String) -> Bool { faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 }

    /// Whether there is a user and a group of these names; true for nil.
    public static func exists(user: String?, group: String?) -> Bool {
        (user == nil || getpwnam(user!) != nil) && (group == nil || getgrnam(group!) != nil)
    }
}
