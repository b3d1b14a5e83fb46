// A program built on client-go, as controllers and operators are: typed requests in protobuf, a shared informer that lives
// through a restart of the server, a watch that is taken up again, pages, events and leader election.
// Argument: a kubeconfig. Prints one line for each thing that holds; the first that does not ends it with a message.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/tools/record"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/client-go/util/retry"
)

const namespace = "default"

var (
	ctx    = context.Background()
	client *kubernetes.Clientset
	input  = bufio.NewScanner(os.Stdin)
)

func must(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func assert(holds bool, what string, values ...interface{}) {
	if !holds {
		fmt.Fprintf(os.Stderr, what+"\n", values...)
		os.Exit(1)
	}
}

func eventually(what string, check func() bool) {
	for deadline := time.Now().Add(40 * time.Second); !check(); time.Sleep(50 * time.Millisecond) {
		assert(time.Now().Before(deadline), "not within 40 s: %s", what)
	}
}

func configMap(name string, labels map[string]string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Data: data}
}

// Typed requests: bodies go out in protobuf, and every error is of its kind.
func typed() {
	maps := client.CoreV1().ConfigMaps(namespace)
	made, err := maps.Create(ctx, configMap("go", nil, map[string]string{"a": "1"}), metav1.CreateOptions{})
	must(err, "create")
	_, err = maps.Create(ctx, configMap("go", nil, nil), metav1.CreateOptions{})
	assert(apierrors.IsAlreadyExists(err), "created twice: %v", err)
	_, err = maps.Get(ctx, "nobody", metav1.GetOptions{})
	assert(apierrors.IsNotFound(err), "not there: %v", err)
	changed := made.DeepCopy()
	changed.Data["b"] = "2"
	_, err = maps.Update(ctx, changed, metav1.UpdateOptions{})
	must(err, "update")
	_, err = maps.Update(ctx, made, metav1.UpdateOptions{})
	assert(apierrors.IsConflict(err), "updated a version that was gone: %v", err)

	// Writers that collide and try again lose nothing.
	var writers sync.WaitGroup
	for at := 0; at < 8; at++ {
		writers.Add(1)
		go func(key string) {
			defer writers.Done()
			for {
				current, err := maps.Get(ctx, "go", metav1.GetOptions{})
				must(err, "get")
				current.Data[key] = key
				if _, err = maps.Update(ctx, current, metav1.UpdateOptions{}); err == nil {
					return
				}
				assert(apierrors.IsConflict(err), "update with others: %v", err)
			}
		}(fmt.Sprintf("writer-%d", at))
	}
	writers.Wait()
	all, err := maps.Get(ctx, "go", metav1.GetOptions{})
	must(err, "get")
	assert(len(all.Data) == 10, "lost writes: %v", all.Data)

	replicas := int32(0)
	deployments := client.AppsV1().Deployments(namespace)
	labels := map[string]string{"app": "go"}
	web, err := deployments.Create(ctx, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "go"}, Spec: appsv1.DeploymentSpec{
		Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "example/app:1"}}}},
	}}, metav1.CreateOptions{})
	must(err, "create a deployment")
	assert(*web.Spec.Replicas == 0 && *web.Spec.RevisionHistoryLimit == 10, "a zero was lost, or a default: %v", web.Spec)
	web, err = deployments.Patch(ctx, "go", types.StrategicMergePatchType, []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"example/side:1"}]}}}}`), metav1.PatchOptions{})
	must(err, "strategic patch")
	assert(len(web.Spec.Template.Spec.Containers) == 2, "not merged by name")
	web, err = deployments.Patch(ctx, "go", types.JSONPatchType, []byte(`[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"example/other:1"}]`), metav1.PatchOptions{})
	must(err, "JSON patch")
	assert(web.Spec.Template.Spec.Containers[0].Image == "example/other:1", "not replaced")
	_, err = deployments.Patch(ctx, "go", types.MergePatchType, []byte(`{"spec":{"replicas":-1}}`), metav1.PatchOptions{})
	assert(apierrors.IsInvalid(err), "a wrong number: %v", err)
	force := true
	_, err = deployments.Patch(ctx, "go", types.ApplyPatchType, []byte(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"go","labels":{"by":"apply"}}}`), metav1.PatchOptions{FieldManager: "go", Force: &force})
	must(err, "apply")
	// The deployment's controller writes at the same time.
	must(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		scale, err := deployments.GetScale(ctx, "go", metav1.GetOptions{})
		must(err, "scale")
		scale.Spec.Replicas = 2
		_, err = deployments.UpdateScale(ctx, "go", scale, metav1.UpdateOptions{})
		return err
	}), "scale")
	eventually("the deployment has its replica set", func() bool {
		sets, err := client.AppsV1().ReplicaSets(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=go"})
		must(err, "list")
		return len(sets.Items) > 0
	})
	foreground := metav1.DeletePropagationForeground
	must(deployments.Delete(ctx, "go", metav1.DeleteOptions{PropagationPolicy: &foreground, Preconditions: &metav1.Preconditions{UID: &web.UID}}), "delete")
	eventually("the deployment is gone", func() bool {
		_, err := deployments.Get(ctx, "go", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	must(maps.Delete(ctx, "go", metav1.DeleteOptions{}), "delete")
}

// Pages are of one moment: what is made while they are read is not among them.
func pages() {
	maps := client.CoreV1().ConfigMaps(namespace)
	for at := 0; at < 25; at++ {
		_, err := maps.Create(ctx, configMap(fmt.Sprintf("page-%02d", at), map[string]string{"set": "pages"}, nil), metav1.CreateOptions{})
		must(err, "create")
	}
	calls := 0
	reader := pager.New(func(_ context.Context, options metav1.ListOptions) (runtime.Object, error) {
		calls++
		if calls == 2 {
			_, err := maps.Create(ctx, configMap("page-xx", map[string]string{"set": "pages"}, nil), metav1.CreateOptions{})
			must(err, "create")
		}
		return maps.List(ctx, options)
	})
	reader.PageSize = 10
	names := map[string]bool{}
	must(reader.EachListItem(ctx, metav1.ListOptions{LabelSelector: "set=pages"}, func(object runtime.Object) error {
		names[object.(*corev1.ConfigMap).Name] = true
		return nil
	}), "list in pages")
	assert(calls == 3 && len(names) == 25 && !names["page-xx"], "%d pages, %d objects", calls, len(names))
	must(maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "set=pages"}), "delete a collection")
}

// A shared informer holds what the server holds, also after the server was away.
func informs() {
	maps := client.CoreV1().ConfigMaps(namespace)
	selected := metav1.ListOptions{LabelSelector: "set=informed"}
	var added, updated, deleted, lists int32
	informer := cache.NewSharedIndexInformer(&cache.ListWatch{
		ListFunc: func(options metav1.ListOptions) (runtime.Object, error) {
			atomic.AddInt32(&lists, 1)
			options.LabelSelector = selected.LabelSelector
			return maps.List(ctx, options)
		},
		WatchFunc: func(options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = selected.LabelSelector
			return maps.Watch(ctx, options)
		},
	}, &corev1.ConfigMap{}, 0, cache.Indexers{"part": func(object interface{}) ([]string, error) {
		return []string{object.(*corev1.ConfigMap).Labels["part"]}, nil
	}})
	informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(interface{}) { atomic.AddInt32(&added, 1) },
		UpdateFunc: func(before, after interface{}) {
			if before.(*corev1.ConfigMap).ResourceVersion != after.(*corev1.ConfigMap).ResourceVersion {
				atomic.AddInt32(&updated, 1)
			}
		},
		DeleteFunc: func(interface{}) { atomic.AddInt32(&deleted, 1) },
	})
	stop := make(chan struct{})
	defer close(stop)
	go informer.Run(stop)
	assert(cache.WaitForCacheSync(stop, informer.HasSynced), "not synced")
	agrees := func() bool {
		list, err := maps.List(ctx, selected)
		if err != nil || len(informer.GetStore().List()) != len(list.Items) {
			return false
		}
		for at := range list.Items {
			held, exists, _ := informer.GetStore().GetByKey(namespace + "/" + list.Items[at].Name)
			if !exists || !equality.Semantic.DeepEqual(held.(*corev1.ConfigMap).ObjectMeta.ResourceVersion, list.Items[at].ResourceVersion) {
				return false
			}
		}
		return true
	}
	for at := 0; at < 30; at++ {
		_, err := maps.Create(ctx, configMap(fmt.Sprintf("in-%d", at), map[string]string{"set": "informed", "part": fmt.Sprint(at % 3)}, nil), metav1.CreateOptions{})
		must(err, "create")
	}
	for at := 0; at < 10; at++ {
		_, err := maps.Patch(ctx, fmt.Sprintf("in-%d", at), types.MergePatchType, []byte(`{"data":{"a":"b"}}`), metav1.PatchOptions{})
		must(err, "patch")
	}
	must(maps.Delete(ctx, "in-29", metav1.DeleteOptions{}), "delete")
	eventually("the informer holds all", agrees)
	eventually("the handlers were told all", func() bool {
		return atomic.LoadInt32(&added) == 30 && atomic.LoadInt32(&updated) == 10 && atomic.LoadInt32(&deleted) == 1
	})
	ofOne, err := informer.GetIndexer().ByIndex("part", "1")
	must(err, "index")
	assert(len(ofOne) == 10, "%d of part 1", len(ofOne))
	assert(atomic.LoadInt32(&lists) == 1, "listed %d times", lists)

	fmt.Println("restart the server")
	assert(input.Scan(), "nobody restarted the server")
	eventually("the server answers again", func() bool {
		_, err := maps.Patch(ctx, "in-0", types.MergePatchType, []byte(`{"data":{"a":"after"}}`), metav1.PatchOptions{})
		return err == nil
	})
	must(maps.Delete(ctx, "in-1", metav1.DeleteOptions{}), "delete")
	eventually("the informer holds all again", agrees)
	eventually("a change after the restart was told once", func() bool {
		return atomic.LoadInt32(&added) == 30 && atomic.LoadInt32(&updated) == 11 && atomic.LoadInt32(&deleted) == 2
	})
}

// A watch that is taken up after its last version whenever it ends gives every change once, in order.
func retries() {
	maps := client.CoreV1().ConfigMaps(namespace)
	seconds := int64(1)
	list, err := maps.List(ctx, metav1.ListOptions{})
	must(err, "list")
	watcher, err := watchtools.NewRetryWatcher(list.ResourceVersion, &cache.ListWatch{WatchFunc: func(options metav1.ListOptions) (watch.Interface, error) {
		options.FieldSelector = fields.OneTermEqualSelector("metadata.name", "retried").String()
		options.TimeoutSeconds = &seconds
		return maps.Watch(ctx, options)
	}})
	must(err, "watch")
	defer watcher.Stop()
	_, err = maps.Create(ctx, configMap("retried", nil, map[string]string{"at": "0"}), metav1.CreateOptions{})
	must(err, "create")
	for at := 0; at <= 6; at++ {
		event := <-watcher.ResultChan()
		object, isMap := event.Object.(*corev1.ConfigMap)
		assert(isMap && object.Data["at"] == fmt.Sprint(at), "event %d: %v", at, event)
		time.Sleep(400 * time.Millisecond)
		_, err = maps.Patch(ctx, "retried", types.MergePatchType, []byte(fmt.Sprintf(`{"data":{"at":"%d"}}`, at+1)), metav1.PatchOptions{})
		must(err, "patch")
	}
}

// Events of one sort are one object that counts.
func records() {
	broadcaster := record.NewBroadcaster()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events(namespace)})
	recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "client-go"})
	about := &corev1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: namespace, Name: "retried"}
	for at := 0; at < 3; at++ {
		recorder.Event(about, corev1.EventTypeWarning, "Tried", "again and again")
	}
	eventually("one event with a count of three", func() bool {
		events, err := client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=retried,reason=Tried"})
		must(err, "list")
		return len(events.Items) == 1 && events.Items[0].Count == 3
	})
	broadcaster.Shutdown()
}

// One of three leads; when it lets go, another does; never two at a time.
func elects() {
	var leading, most, terms int32
	cancels := map[string]context.CancelFunc{}
	leaders := make(chan string, 8)
	for _, name := range []string{"a", "b", "c"} {
		name := name
		lock, err := resourcelock.New(resourcelock.LeasesResourceLock, namespace, "go-election", client.CoreV1(), client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: name})
		must(err, "lock")
		candidacy, cancel := context.WithCancel(ctx)
		cancels[name] = cancel
		go leaderelection.RunOrDie(candidacy, leaderelection.LeaderElectionConfig{
			Lock: lock, ReleaseOnCancel: true, LeaseDuration: 4 * time.Second, RenewDeadline: 3 * time.Second, RetryPeriod: 300 * time.Millisecond,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(term context.Context) {
					atomic.AddInt32(&terms, 1)
					if now := atomic.AddInt32(&leading, 1); now > atomic.LoadInt32(&most) {
						atomic.StoreInt32(&most, now)
					}
					leaders <- name
					<-term.Done()
					atomic.AddInt32(&leading, -1)
				},
				OnStoppedLeading: func() {},
			},
		})
	}
	first := <-leaders
	cancels[first]()
	second := <-leaders
	assert(first != second, "the one that gave up leads again")
	held, err := client.CoordinationV1().Leases(namespace).Get(ctx, "go-election", metav1.GetOptions{})
	must(err, "lease")
	assert(*held.Spec.HolderIdentity == second && *held.Spec.LeaseTransitions >= 1, "%s holds the lease, %s leads", *held.Spec.HolderIdentity, second)
	assert(atomic.LoadInt32(&most) == 1 && atomic.LoadInt32(&terms) == 2, "%d at a time, %d terms", most, terms)
	for _, cancel := range cancels {
		cancel()
	}
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	must(err, "kubeconfig")
	config.QPS, config.Burst = 1000, 1000
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	client, err = kubernetes.NewForConfig(config)
	must(err, "client")
	for _, step := range []struct {
		name string
		run  func()
	}{{"typed", typed}, {"pages", pages}, {"informs", informs}, {"retries", retries}, {"records", records}, {"elects", elects}} {
		step.run()
		fmt.Println("ok", step.name)
	}
}
