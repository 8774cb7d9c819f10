-- From which devices staff may work: server/identity/staff_device.c.

-- name: staff_device_add
INSERT INTO staff_device (site, machine, name, giver, since) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: staff_device_drop
DELETE FROM staff_device WHERE site = ?1 AND machine = ?2;

-- name: staff_device_all
-- scan: all of them come into memory, and a list of all was asked for
SELECT site, machine, name, giver, since FROM staff_device ORDER BY site, machine;

-- name: staff_device_waiting
-- scan: by an index that holds the sessions of staff alone
SELECT machine, account, device, used FROM session AS s
WHERE machine <> 0 AND NOT EXISTS (SELECT 1 FROM staff_device AS d WHERE d.machine = s.machine) ORDER BY machine, account, used DESC LIMIT ?1;
