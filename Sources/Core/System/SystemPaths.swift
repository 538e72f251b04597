// What stands at a path of this host, for names of any bytes (FileName).

public import Glibc

/// Links are followed; nil with errno set when it cannot be looked at.
public func pathStatus(_ path: String) -> stat? {
    var status = stat()
    return path.withSystemName({ stat($0, &status) }) == 0 ? status : nil
}

/// Absolute, and no part of it is a link; nil with errno set when there is nothing.
public func realPath(_ path: String) -> String? {
    guard let real = path.withSystemName({ realpath($0, nil) }) else { return nil }
    defer { free(real) }
    return FileName.text(UnsafeRawBufferPointer(start: real, count: strlen(real)))
}

/// The text of a symbolic link; nil with errno set when there is none.
public func linkText(_ path: String) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
        let count = path.withSystemName { readlink($0, buffer.baseAddress!, buffer.count) }
        return count < 0 ? nil : FileName.text(UnsafeRawBufferPointer(start: buffer.baseAddress, count: count))
    }
}
