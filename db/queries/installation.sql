-- What tells this installation from every other on one Redis. Any role may call
-- pg_control_system.
-- name: InstallationName :one
SELECT installation.id, current_database()::text AS database,
       (SELECT control.system_identifier FROM pg_control_system() AS control)::bigint AS system_identifier
FROM installation;
