package foreign

import (
	"strings"
	"testing"

	"go.etcd.io/etcd/client/v2"
)

func as(name, password string) func(*client.Config) {
	return func(config *client.Config) {
		config.Username, config.Password = name, password
	}
}

func TestRolesAreKept(t *testing.T) {
	roles, ctx := client.NewAuthRoleAPI(newClient(t)), inTime(t)
	noError(t, roles.AddRole(ctx, "writer"))
	must[*client.Role](t)(roles.GrantRoleKV(ctx, "writer", []string{"/x/*", "/y"}, client.ReadWritePermission))
	role := must[*client.Role](t)(roles.RevokeRoleKV(ctx, "writer", []string{"/y"}, client.WritePermission))
	equal(t, "read", strings.Join(role.Permissions.KV.Read, " "), "/x/* /y")
	equal(t, "write", strings.Join(role.Permissions.KV.Write, " "), "/x/*")
	role = must[*client.Role](t)(roles.GetRole(ctx, "writer"))
	equal(t, "name", role.Role, "writer")
	equal(t, "roles", strings.Join(must[[]string](t)(roles.ListRoles(ctx)), " "), "root writer")
	noError(t, roles.RemoveRole(ctx, "writer"))
	_, err := roles.GetRole(ctx, "writer")
	equal(t, "is role not found", client.IsRoleNotFound(err), true)
	complains(t, roles.RemoveRole(ctx, "writer"), "auth: Role writer doesn't exist.")
	_, err = roles.GrantRoleKV(ctx, "root", []string{"/x"}, client.ReadPermission)
	complains(t, err, "auth: Cannot modify role root: is root role.")
}

func TestUsersAreKept(t *testing.T) {
	made, ctx := newClient(t), inTime(t)
	users, roles := client.NewAuthUserAPI(made), client.NewAuthRoleAPI(made)
	noError(t, roles.AddRole(ctx, "one"))
	noError(t, roles.AddRole(ctx, "two"))
	noError(t, users.AddUser(ctx, "bob", "1"))
	must[*client.User](t)(users.ChangePassword(ctx, "bob", "2"))
	must[*client.User](t)(users.GrantUser(ctx, "bob", []string{"two", "one"}))
	user := must[*client.User](t)(users.GetUser(ctx, "bob"))
	// The client puts as many empty names before them.
	equal(t, "roles", strings.Join(user.Roles, " "), "  one two")
	_, err := users.GrantUser(ctx, "bob", []string{"one"})
	equal(t, "granted twice", err != nil, true)
	user = must[*client.User](t)(users.RevokeUser(ctx, "bob", []string{"two"}))
	equal(t, "roles", strings.Join(user.Roles, " "), "one")
	equal(t, "users", strings.Join(must[[]string](t)(users.ListUsers(ctx)), " "), "bob")
	noError(t, users.RemoveUser(ctx, "bob"))
	_, err = users.GetUser(ctx, "bob")
	equal(t, "is user not found", client.IsUserNotFound(err), true)
	noError(t, roles.RemoveRole(ctx, "one"))
	noError(t, roles.RemoveRole(ctx, "two"))
}

func TestAuthIsEnforced(t *testing.T) {
	nobody, root, ctx := newClient(t), newClient(t, as("root", "secret")), inTime(t)
	complains(t, client.NewAuthAPI(nobody).Enable(ctx), "auth: No root user available, please create one")
	roles := client.NewAuthRoleAPI(root)
	noError(t, roles.AddRole(ctx, "reader"))
	must[*client.Role](t)(roles.GrantRoleKV(ctx, "reader", []string{"/secret/*"}, client.ReadPermission))
	for _, user := range []string{"root", "alice"} {
		noError(t, client.NewAuthUserAPI(root).AddUser(ctx, user, "secret"))
	}
	must[*client.User](t)(client.NewAuthUserAPI(root).GrantUser(ctx, "alice", []string{"reader"}))
	noError(t, client.NewAuthAPI(nobody).Enable(ctx))
	defer func() { noError(t, client.NewAuthAPI(root).Disable(ctx)) }()
	noError(t, roles.RemoveRole(ctx, "guest"))

	must[*client.Response](t)(client.NewKeysAPI(root).Set(ctx, "/secret/x", "1", nil))
	alice := client.NewKeysAPI(newClient(t, as("alice", "secret")))
	read := must[*client.Response](t)(alice.Get(ctx, "/secret/x", nil))
	equal(t, "value", read.Node.Value, "1")
	_, err := alice.Set(ctx, "/secret/x", "2", nil)
	unauthorised(t, err)
	_, err = client.NewKeysAPI(nobody).Get(ctx, "/secret/x", nil)
	unauthorised(t, err)
	_, err = client.NewKeysAPI(newClient(t, as("alice", "wrong"))).Get(ctx, "/secret/x", nil)
	unauthorised(t, err)
	complains(t, client.NewAuthAPI(nobody).Disable(ctx), "Insufficient credentials")
	complains(t, client.NewAuthUserAPI(nobody).RemoveUser(ctx, "alice"), "Insufficient credentials")
	_, err = client.NewMembersAPI(nobody).Add(ctx, neverStarted)
	equal(t, "may add members", err == nil, false)
}

func unauthorised(t *testing.T, err error) {
	t.Helper()
	refused(t, err, client.ErrorCodeUnauthorized,
		"The request requires user authentication", "Insufficient credentials")
}
